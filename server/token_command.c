/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Read, change, write: between the three the directory is locked against
 * another one of us.
 */

#include "server/token_command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/state_file.h"
#include "common/conf/emit.h"
#include "common/conf/join.h"
#include "common/crypto/login_proof.h"
#include "common/crypto/token.h"
#include "server/keyring.h"
#include "server/state_dir.h"

enum {
	DONE = 0,
	FAILED = 1,
	USAGE = 2
};

struct users_edit {
	char path[PATH_MAX + 8];
	char directory[PATH_MAX];
	int lock;
	bool own;          /* it is the state directory */
	struct conf *conf; /* of the file as it was; NULL: there was none */
	struct settings_users users;
};

static int fail(int code, const char *fmt, ...) printf_like(2, 3);

static int fail(int code, const char *fmt, ...)
{
	va_list args;

	fputs("aditd token: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

/* Which file, and the directory that it is in. */
static int find(struct users_edit *e, const struct settings *s)
{
	char *slash;
	int rc;

	if (s->users.n > 0)
		return fail(FAILED,
			"the users are in the configuration itself: edit them "
			"there, or set usersFile in their place");
	if (*s->users_file) {
		if (snprintf(e->path, sizeof(e->path), "%s", s->users_file) >=
			PATH_MAX)
			return fail(FAILED, "usersFile: %s",
				strerror(ENAMETOOLONG));
		memcpy(e->directory, e->path, PATH_MAX);
		slash = strrchr(e->directory, '/');
		if (!slash)
			strcpy(e->directory, ".");
		else
			slash[slash == e->directory] = '\0';
		return DONE;
	}
	rc = state_dir_find(s->state_dir, e->directory, sizeof(e->directory));
	if (rc == 0)
		rc = state_dir_make(e->directory);
	if (rc < 0)
		return fail(FAILED, "the state directory: %s", strerror(-rc));
	snprintf(e->path, sizeof(e->path), "%s/users", e->directory);
	return DONE;
}

static int lock(struct users_edit *e)
{
	const char *why;

	if (e->own && state_directory_check(e->directory, &why) < 0)
		return fail(FAILED, "%s: %s", e->directory, why);
	e->lock = open(e->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->lock < 0 || flock(e->lock, LOCK_EX) < 0)
		return fail(FAILED, "%s: %s", e->directory, strerror(errno));
	return DONE;
}

static int load(struct users_edit *e)
{
	struct conf_errors *errors;
	const struct settings_users *users;
	const char *why;
	size_t size;
	char *text;
	int rc = state_file_read(e->path, &text, &size, &why);

	if (rc == -ENOENT)
		return DONE;
	if (rc < 0)
		return fail(FAILED, "%s: %s", e->path, why);
	explicit_bzero(text, size);
	free(text);
	errors = calloc(1, sizeof(*errors));
	if (!errors)
		return fail(FAILED, "no memory");
	rc = settings_users_load(&e->conf, &users, e->path, errors);
	conf_errors_print(errors, stderr);
	free(errors);
	if (rc < 0)
		return FAILED;
	e->users = *users;
	return DONE;
}

static int begin(struct users_edit *e, const struct settings *s)
{
	int code = find(e, s);

	e->own = !*s->users_file;
	if (code == DONE)
		code = lock(e);
	return code == DONE ? load(e) : code;
}

static void end(struct users_edit *e)
{
	conf_free(&e->conf);
	if (e->lock >= 0)
		close(e->lock);
}

static int save(const struct users_edit *e, const struct settings_users *users)
{
	const struct settings_users_file file = { *users };
	size_t size;
	char *text;
	int rc = conf_emit(&settings_users_file, &file, &text, &size);

	if (rc == 0) {
		rc = state_file_write(e->path, text, size);
		explicit_bzero(text, size);
		free(text);
	}
	if (rc < 0)
		return fail(FAILED, "%s: %s", e->path, strerror(-rc));
	return DONE;
}

/* Where it is in the list; n: nowhere. */
static size_t index_of(const struct settings_users *users, const char *name)
{
	size_t i = 0;

	while (i < users->n && strcmp(users->v[i].name, name) != 0)
		i++;
	return i;
}

/* The only time that the secrets are shown. */
static int show(const char *name, const char *token, const char *frp_token)
{
	printf("user      %s\ntoken     %s\n", name, token);
	if (*frp_token)
		printf("frpc      user = \"%s\"\n"
		       "          auth.token = \"%s\"\n",
			name, frp_token);
	return fflush(stdout) == 0 ? DONE : fail(FAILED, "stdout");
}

/* The list with one more at its end. */
static int append(const struct users_edit *e, const struct settings_user *user)
{
	struct settings_users more = { .n = e->users.n + 1 };
	int code;

	more.v = calloc(more.n, sizeof(*more.v));
	if (!more.v)
		return fail(FAILED, "no memory");
	for (size_t i = 0; i < e->users.n; i++)
		more.v[i] = e->users.v[i];
	more.v[e->users.n] = *user;
	code = save(e, &more);
	free(more.v);
	return code;
}

static int token_new(const struct users_edit *e, const char *name, bool frpc)
{
	char token[TOKEN_SIZE], frp_token[TOKEN_SIZE] = "";
	char public[PROOF_PUBLIC_TEXT];
	const char *keys[] = { public };
	const struct settings_user user = { .name = name,
		.keys = { 1, keys },
		.frp_token = frp_token,
		.expires = "" };
	struct proof_key key;
	int code;

	if (!join_is_name(name))
		return fail(USAGE,
			"a name has small letters, digits, - and _, a letter "
			"or digit first, 32 at most");
	if (index_of(&e->users, name) < e->users.n)
		return fail(
			FAILED, "there is a user %s: revoke it first", name);
	/* The server takes users without an identity for a loss of it. */
	if (e->own && keyring_make_identity(e->directory) < 0)
		return FAILED;
	token_make(token);
	if (frpc)
		token_make(frp_token);
	proof_key_derive(&key, token, strlen(token));
	proof_public_write(public, key.public);
	proof_key_wipe(&key);
	code = append(e, &user);
	if (code == DONE)
		code = show(name, token, frp_token);
	explicit_bzero(token, sizeof(token));
	explicit_bzero(frp_token, sizeof(frp_token));
	return code;
}

static int token_list(const struct users_edit *e)
{
	for (size_t i = 0; i < e->users.n; i++) {
		const struct settings_user *u = &e->users.v[i];

		printf("%-32s keys %zu  frpc %-3s", u->name, u->keys.n,
			*u->frp_token ? "yes" : "no");
		if (u->disabled)
			printf("  disabled");
		if (*u->expires)
			printf("  expires %s", u->expires);
		putchar('\n');
	}
	return DONE;
}

static int token_revoke(struct users_edit *e, const char *name)
{
	size_t i = index_of(&e->users, name);
	struct settings_users rest = { e->users.n - 1, e->users.v };

	if (i == e->users.n)
		return fail(FAILED, "there is no user %s", name);
	memmove(&rest.v[i], &rest.v[i + 1], (rest.n - i) * sizeof(*rest.v));
	return save(e, &rest);
}

int token_command(const struct server_options *o, const struct settings *s,
	const struct command_words *words)
{
	const char *verb = words->n > 1 ? words->v[1] : "";
	bool new = !strcmp(verb, "new"), list = !strcmp(verb, "list");
	bool revoke = !strcmp(verb, "revoke");
	struct users_edit e = { .lock = -1 };
	int code;

	if (!new && !list && !revoke)
		return fail(USAGE, "new NAME, list or revoke NAME is expected");
	if (words->n != (list ? 2 : 3))
		return fail(USAGE,
			list ? "list takes no name" : "one NAME is expected");
	if (o->frpc && !new)
		return fail(USAGE, "--frpc goes with new only");
	code = begin(&e, s);
	if (code == DONE && new)
		code = token_new(&e, words->v[2], o->frpc);
	else if (code == DONE && list)
		code = token_list(&e);
	else if (code == DONE)
		code = token_revoke(&e, words->v[2]);
	end(&e);
	return code;
}
