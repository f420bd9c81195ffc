/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether a Login of frp's kind is let in: the secret that it proves is the
 * one of its user, or auth.token where it names none, and its time is near
 * ours. Who is refused is not told whether there is such a user; the log is.
 */

#ifndef ADIT_SERVER_ADMISSION_H
#define ADIT_SERVER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/message.h"
#include "server/users.h"

struct settings;

/* Room for the error of a refused login. */
#define ADMISSION_ERROR_SIZE 192

/* frp's text: the secret is wrong, or there is no such user. */
#define ADMISSION_WRONG "token in login doesn't match token from configuration"

struct admission {
	const struct user *user; /* in the table that was asked; or NULL */
	int64_t keep_s;    /* how long its time is not to be seen again; 0 */
	bool failed;       /* refused for its secret: counted against it */
	const char *cause; /* for the log only; or NULL */
	char error[ADMISSION_ERROR_SIZE]; /* for the client */
};

/*
 * Look at a login at the time `now` (Unix seconds), which came over TLS if
 * `secure`. False: it is refused. The users may be NULL: there are none.
 */
bool admission_check(struct admission *a, const struct settings *s,
	const struct users *users, const struct message_login *login,
	bool secure, int64_t now) must_check;

/*
 * The secret of a client that is in: its user's, or auth.token. Messages that
 * carry a proof of their own are checked with it.
 */
const char *admission_secret(const struct settings *s, const struct user *user);

/*
 * Text from outside for the end of a log line that other programs act on: at
 * most 64 characters of [A-Za-z0-9._:-], others as %XX.
 */
#define ADMISSION_TEXT_SIZE 65
void admission_text(char out[static ADMISSION_TEXT_SIZE], const char *text);

#endif
