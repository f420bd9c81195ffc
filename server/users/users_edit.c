/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/users_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/state_file.h"
#include "common/conf/emit.h"
#include "common/crypto/login_proof.h"
#include "server/state_dir.h"
#include "server/users/handwriting.h"

bool users_edit_fail(const char *fmt, ...)
{
	va_list args;

	fputs("aditd: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

/* The file that usersFile names, and the directory that it is in. */
static bool find_given(struct users_edit *e, const char *file)
{
	char *slash;

	if (snprintf(e->path, sizeof(e->path), "%s", file) >= PATH_MAX)
		return users_edit_fail("usersFile: %s", strerror(ENAMETOOLONG));
	memcpy(e->directory, e->path, PATH_MAX);
	slash = strrchr(e->directory, '/');
	if (!slash)
		strcpy(e->directory, ".");
	else
		slash[slash == e->directory] = '\0';
	return true;
}

static bool find(struct users_edit *e, const struct settings *s)
{
	char error[STATE_DIR_ERROR_SIZE];
	int rc;

	if (s->users.n > 0)
		return users_edit_fail(
			"the users are in the configuration itself: edit them "
			"there, or set usersFile in their place");
	if (*s->users_file)
		return find_given(e, s->users_file);
	e->own = true;
	rc = state_dir_make(s->state_dir, e->directory, sizeof(e->directory));
	if (rc < 0) {
		state_dir_explain(error, e->directory, rc);
		return users_edit_fail("the state directory: %s", error);
	}
	snprintf(e->path, sizeof(e->path), "%s/users", e->directory);
	return true;
}

static bool lock(struct users_edit *e)
{
	const char *why;

	if (e->own && state_directory_check(e->directory, &why) < 0)
		return users_edit_fail("%s: %s", e->directory, why);
	e->lock = open(e->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->lock < 0 || flock(e->lock, LOCK_EX) < 0)
		return users_edit_fail("%s: %s", e->directory, strerror(errno));
	return true;
}

static bool load(struct users_edit *e)
{
	struct conf_errors *errors;
	const struct settings_users *users;
	const char *why;
	int rc = state_file_check(e->path, &why);

	if (rc == -ENOENT)
		return true;
	if (rc < 0)
		return users_edit_fail("%s: %s", e->path, why);
	errors = calloc(1, sizeof(*errors));
	if (!errors)
		return users_edit_fail("no memory");
	rc = settings_users_load(&e->conf, &users, e->path, errors);
	conf_errors_print(errors, stderr);
	free(errors);
	if (rc < 0)
		return false;
	e->users = *users;
	return true;
}

bool users_edit_begin(struct users_edit *e, const struct settings *s)
{
	memset(e, 0, sizeof(*e));
	e->lock = -1;
	return find(e, s) && lock(e) && load(e);
}

void users_edit_end(struct users_edit *e)
{
	conf_free(&e->conf);
	if (e->lock >= 0)
		close(e->lock);
	e->lock = -1;
}

void users_secrets_make(struct users_secrets *s, bool frpc)
{
	memset(s, 0, sizeof(*s));
	token_make(s->token);
	if (frpc)
		token_make(s->frp_token);
}

const struct settings_user *users_edit_find(
	const struct users_edit *e, const char *name)
{
	for (size_t i = 0; i < e->users.n; i++)
		if (!strcmp(e->users.v[i].name, name))
			return &e->users.v[i];
	return NULL;
}

/* What people have written into it, and would be lost, is theirs to change. */
static bool check_handwriting(const struct users_edit *e)
{
	const char *why, *what;
	size_t size, line;
	char *text;

	if (!e->conf)
		return true;
	if (state_file_read(e->path, &text, &size, &why) < 0)
		return users_edit_fail("%s: %s", e->path, why);
	what = handwriting_find(text, size, &line);
	explicit_bzero(text, size);
	free(text);
	return !what ||
	       users_edit_fail(
		       "%s:%zu: %s, which would be lost, as the whole file is "
		       "written anew: take it out, or edit the users by hand; "
		       "a record that token new has made in another usersFile "
		       "may be copied",
		       e->path, line, what);
}

/* No file that could not be read again. */
static bool write_file(const struct users_edit *e, const char *text, size_t n)
{
	int rc;

	if (n > STATE_FILE_MAX)
		return users_edit_fail(
			"%s would have %zu bytes; %zu are allowed: it stays as "
			"it was",
			e->path, n, STATE_FILE_MAX);
	rc = state_file_write(e->path, text, n);
	return rc == 0 || users_edit_fail("%s: %s", e->path, strerror(-rc));
}

static bool save(const struct users_edit *e, const struct settings_users *users)
{
	const struct settings_users_file file = { *users };
	bool done;
	size_t size;
	char *text;

	if (!check_handwriting(e))
		return false;
	if (conf_emit(&settings_users_file, &file, &text, &size) < 0)
		return users_edit_fail("no memory");
	done = write_file(e, text, size);
	explicit_bzero(text, size);
	free(text);
	return done;
}

/* What is kept of a token. */
static void write_public(
	char out[static PROOF_PUBLIC_TEXT], const struct users_secrets *secrets)
{
	struct proof_key key;

	proof_key_derive(&key, secrets->token, strlen(secrets->token));
	proof_public_write(out, key.public);
	proof_key_wipe(&key);
}

bool users_edit_add(const struct users_edit *e, const char *name,
	const struct users_secrets *secrets)
{
	char public[PROOF_PUBLIC_TEXT];
	const char *keys[] = { public };
	struct settings_users more = { .n = e->users.n + 1 };
	bool done;

	write_public(public, secrets);
	more.v = calloc(more.n, sizeof(*more.v));
	if (!more.v)
		return users_edit_fail("no memory");
	for (size_t i = 0; i < e->users.n; i++)
		more.v[i] = e->users.v[i];
	more.v[e->users.n] = (struct settings_user){ .name = name,
		.keys = { 1, keys },
		.frp_token = secrets->frp_token,
		.bandwidth = "",
		.expires = "" };
	done = save(e, &more);
	free(more.v);
	return done;
}

bool users_edit_renew(struct users_edit *e, const struct settings_user *user,
	const struct users_secrets *secrets)
{
	char public[PROOF_PUBLIC_TEXT];
	const char *keys[] = { public };
	struct settings_user *record = &e->users.v[user - e->users.v];
	const struct settings_user before = *record;
	bool done;

	write_public(public, secrets);
	record->keys = (struct conf_strings){ 1, keys };
	if (*secrets->frp_token)
		record->frp_token = secrets->frp_token;
	done = save(e, &e->users);
	*record = before;
	return done;
}

bool users_edit_remove(struct users_edit *e, const struct settings_user *user)
{
	size_t i = (size_t)(user - e->users.v);
	struct settings_users rest = { e->users.n - 1, e->users.v };

	memmove(&rest.v[i], &rest.v[i + 1], (rest.n - i) * sizeof(*rest.v));
	return save(e, &rest);
}
