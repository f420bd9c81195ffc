/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/token_command.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/join.h"
#include "server/command/admin.h"
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

/* The only time that the secrets are shown. */
static int show(const struct settings *s, const char *name,
	const struct users_secrets *secrets, const struct pin_list *pins)
{
	char join[JOIN_TEXT_SIZE], error[JOIN_ERROR_SIZE];

	printf("user      %s\ntoken     %s\n", name, secrets->token);
	if (pins &&
		invitation_write(join, s, name, secrets->token, pins, error))
		fprintf(stderr, "aditd token: no join string: %s\n", error);
	else if (pins)
		printf("join      '%s'\n", join);
	if (pins)
		explicit_bzero(join, sizeof(join));
	if (*secrets->frp_token)
		printf("frpc      user = \"%s\"\n"
		       "          auth.token = \"%s\"\n",
			name, secrets->frp_token);
	return fflush(stdout) == 0 ? DONE : fail(FAILED, "stdout");
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

static int token_new(const struct users_edit *e, const struct settings *s,
	const char *name, const struct server_options *o)
{
	struct users_secrets secrets;
	struct pin_list pins;
	bool known;
	int code = FAILED;

	if (!join_is_name(name))
		return fail(USAGE,
			"a name has small letters, digits, - and _, a letter "
			"or digit first, 32 at most");
	if (users_edit_find(e, name))
		return fail(
			FAILED, "there is a user %s: revoke it first", name);
	/* The server takes users without an identity for a loss of it. */
	known = find_pins(e, s, &pins);
	if (e->own && !known)
		return FAILED;
	users_secrets_make(&secrets, o->frpc);
	if (users_edit_add(e, name, &secrets))
		code = show(s, name, &secrets, known ? &pins : NULL);
	explicit_bzero(&secrets, sizeof(secrets));
	if (code == DONE && !e->conf)
		tell_reload(o, s);
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
	bool revoke = !strcmp(verb, "revoke");
	struct users_edit e;
	int code;

	if (!new && !list && !revoke)
		return fail(USAGE, "new NAME, list or revoke NAME is expected");
	if (words->n != (list ? 2 : 3))
		return fail(USAGE,
			list ? "list takes no name" : "one NAME is expected");
	if (o->frpc && !new)
		return fail(USAGE, "--frpc goes with new only");
	if (!users_edit_begin(&e, s))
		code = FAILED;
	else if (new)
		code = token_new(&e, s, words->v[2], o);
	else if (list)
		code = token_list(&e);
	else
		code = token_revoke(&e, words->v[2]);
	users_edit_end(&e);
	return code;
}
