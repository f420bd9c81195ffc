/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether a Login is let in. One of frp's kind: the secret that it proves is
 * the one of its user, or auth.token where it names none, and its time is near
 * ours. One of adit's: it is signed for the TLS session that it comes on, with
 * a key that its user has. Who is refused is not told whether there is such a
 * user; the log is.
 */

#ifndef ADIT_SERVER_USERS_ADMISSION_H
#define ADIT_SERVER_USERS_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/message.h"
#include "server/users/users.h"

struct settings;

/* Room for the error of a refused login. */
#define ADMISSION_ERROR_SIZE 192

/* frp's text: the secret is wrong, or there is no such user. */
#define ADMISSION_WRONG "token in login doesn't match token from configuration"

struct admission {
	const struct user *user; /* in the table that was asked; or NULL */
	/* Whose record was looked at: another one's where there is no such
	 * user; NULL: none. */
	const struct user *record;
	int64_t keep_s; /* how long its time is not to be seen again; 0 */
	bool proven;    /* by a signature, with this key: */
	uint8_t key[PROOF_PUBLIC_SIZE];
	bool failed;       /* refused for its secret: counted against it */
	bool untold;       /* refused as others were that the log has */
	const char *cause; /* for the log only; or NULL */
	char error[ADMISSION_ERROR_SIZE]; /* for the client */
};

/* What a login is judged by, besides what it says. */
struct admission_terms {
	const struct settings *settings;
	const struct users *users; /* NULL: there are none */
	const uint8_t *token_key;  /* the public key of auth.token; or NULL */
	bool secure;               /* it came over TLS */
	const uint8_t *binding;    /* of TLS of ours (login_proof.h); or NULL */
	int64_t now;               /* Unix seconds */
};

/* Whether it is judged by a signature, rather than by frp's proof. */
static inline bool admission_is_signed(const struct message_login *login)
{
	return *login->adit.key || *login->adit.sig;
}

/*
 * Look at a login. False: it is refused. One with a signature is judged by
 * that alone.
 */
bool admission_check(struct admission *a, const struct admission_terms *t,
	const struct message_login *login) must_check;

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
