/* SPDX-License-Identifier: Apache-2.0 */

/* For control.c and control_login.c. */

#ifndef ADIT_SERVER_CONTROL_CONTROL_INTERNAL_H
#define ADIT_SERVER_CONTROL_CONTROL_INTERNAL_H

#include "server/control/control.h"

struct admission;

extern const struct channel_ops control_ops;

/*
 * Ask the registry for the id, for which the login may not come again in
 * keep_s seconds; `iv`, in hex, proves that it is no replay, NULL: none.
 */
bool control_claim(struct control *c, const char *id, int64_t keep_s, char *iv);

/*
 * A login as this user has failed: count it against the address and the user;
 * `guessed`: frp's kind, whose secret can be.
 */
void control_count_failure(struct worker *w, const struct admission *a,
	const struct address *from, const char *user, bool guessed);

/* The answer to a Login that was accepted; false: the control was closed. */
bool control_answer(struct control *c);

#endif
