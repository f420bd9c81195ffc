/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/token_command.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/join.h"
#include "server/command/admin.h"
#include "server/command/join_file.h"
#include "server/users/invitation.h"
#include "server/link/identity.h"
#include "server/state_dir.h"
#include "server/users/users_edit.h"

enum {
	DONE = 0,
	FAILED = 1,
	USAGE = 2
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

/* By what the server's identity is known, which is made if there is none. */
static bool find_pins(const struct users_edit *e, const struct settings *s,
	struct pin_list *pins)
{
	char directory[PATH_MAX];

	if (e->own)
		return identity_look(e->directory, pins) == 0;
	/* usersFile may be anywhere, and for another one to use. */
	return state_dir_make(s->state_dir, directory, sizeof(directory)) ==
		       0 &&
	       identity_look(directory, pins) == 0;
}

/* If it is this user's join string that join.txt has, it goes along. */
static bool keep_join(
	const struct users_edit *e, const char *name, const char *join)
{
	char path[PATH_MAX];
	struct join j;
	bool done;

	if (!e->own)
		return true;
	if (!join_file_find(path, e->directory))
		return false;
	done = join_file_read(path, &j);
	if (done && !strcmp(j.name, name))
		done = join_file_keep(path, join);
	join_wipe(&j);
	return done;
}

/* The only time that the secrets are shown; `join` "": without that. */
static int show(
	const char *name, const struct users_secrets *secrets, const char *join)
{
	printf("user      %s\ntoken     %s\n", name, secrets->token);
	if (*join)
		printf("join      '%s'\n", join);
	if (*secrets->frp_token)
		printf("frpc      user = \"%s\"\n"
		       "          auth.token = \"%s\"\n",
			name, secrets->frp_token);
	return fflush(stdout) == 0 ? DONE : FAILED;
}

/* A file that is new: an aditd that had no users looks for none. */
static void tell_reload(
	const struct server_options *o, const struct settings *s)
{
	if (admin_is_there(s))
		fprintf(stderr,
			"aditd token: the aditd that runs may not know of this "
			"file of users yet: aditd reload%s%s has it read "
			"them\n",
			o->config ? " -c " : "", o->config ? o->config : "");
}

/* Secrets for the user, who is there or is made; and the join string. */
static int give(struct users_edit *e, const struct settings *s,
	const char *name, const struct server_options *o)
{
	const struct settings_user *user = users_edit_find(e, name);
	char join[JOIN_TEXT_SIZE] = "", error[JOIN_ERROR_SIZE];
	struct users_secrets secrets;
	struct pin_list pins;
	bool known, done;
	int code = FAILED;

	/* The server takes users without an identity for a loss of it. */
	known = find_pins(e, s, &pins);
	if (e->own && !known)
		return FAILED;
	users_secrets_make(&secrets, o->frpc);
	if (known &&
		invitation_write(join, s, name, secrets.token, &pins, error))
		fprintf(stderr, "aditd token: no join string: %s\n", error);
	done = user ? users_edit_renew(e, user, &secrets)
		    : users_edit_add(e, name, &secrets);
	if (done)
		code = show(name, &secrets, join);
	if (done && user && *join && !keep_join(e, name, join))
		code = FAILED;
	explicit_bzero(&secrets, sizeof(secrets));
	explicit_bzero(join, sizeof(join));
	if (done && !e->conf)
		tell_reload(o, s);
	return code;
}

static int token_new(struct users_edit *e, const struct settings *s,
	const char *name, const struct server_options *o)
{
	if (!join_is_name(name))
		return fail(USAGE,
			"a name has small letters, digits, - and _, a letter "
			"or digit first, 32 at most");
	if (users_edit_find(e, name))
		return fail(FAILED,
			"there is a user %s: renew gives it another token",
			name);
	return give(e, s, name, o);
}

static int token_renew(struct users_edit *e, const struct settings *s,
	const char *name, const struct server_options *o)
{
	if (!users_edit_find(e, name))
		return fail(FAILED, "there is no user %s", name);
	return give(e, s, name, o);
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
	const struct settings_user *user = users_edit_find(e, name);

	if (!user)
		return fail(FAILED, "there is no user %s", name);
	return users_edit_remove(e, user) ? DONE : FAILED;
}

int token_command(const struct server_options *o, const struct settings *s,
	const struct command_words *words)
{
	const char *verb = words->n > 1 ? words->v[1] : "";
	bool new = !strcmp(verb, "new"), list = !strcmp(verb, "list");
	bool renew = !strcmp(verb, "renew"), revoke = !strcmp(verb, "revoke");
	struct users_edit e;
	int code;

	if (!new && !list && !renew && !revoke)
		return fail(USAGE,
			"new NAME, list, renew NAME or revoke NAME is "
			"expected");
	if (words->n != (list ? 2 : 3))
		return fail(USAGE,
			list ? "list takes no name" : "one NAME is expected");
	if (!users_edit_begin(&e, s))
		code = FAILED;
	else if (new)
		code = token_new(&e, s, words->v[2], o);
	else if (renew)
		code = token_renew(&e, s, words->v[2], o);
	else if (list)
		code = token_list(&e);
	else
		code = token_revoke(&e, words->v[2]);
	users_edit_end(&e);
	return code;
}
