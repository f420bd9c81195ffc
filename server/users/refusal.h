/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A login that is refused: what the log says, and what the client hears.
 */

#ifndef ADIT_SERVER_USERS_REFUSAL_H
#define ADIT_SERVER_USERS_REFUSAL_H

#include "common/relay/stream.h"

struct worker;

/*
 * The line that fail2ban looks for (config/fail2ban): the address before
 * anything that came from outside, and that last. `cause` is for the log alone;
 * it may be NULL. `user` is the client's word.
 */
void refusal_log(
	const char *ip, const char *error, const char *cause, const char *user);

/* What the client is told of the error. */
const char *refusal_text(const struct worker *w, const char *error);

/* LoginResp with the error, then the end; the stream is taken over. */
void refusal_send(struct worker *w, struct stream *s, const char *error);

#endif
