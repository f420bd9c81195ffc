/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether the login of a control came before: those of frp's kind are known
 * again by their time, and by the IV in front of what they say first. On
 * worker 0.
 */

#ifndef ADIT_SERVER_USERS_REPLAYS_H
#define ADIT_SERVER_USERS_REPLAYS_H

#include "server/registry/claim.h"
#include "server/users/seen.h"

struct seen_file;

/* All zero is empty, but for the file. */
struct replays {
	struct seen logins, ivs; /* and what they were proven with */
	struct seen_file *file;  /* where the logins are noted */
};

/*
 * Enter a control's login, or its proof, at `now` (clock.h). SEEN_AGAIN: the
 * login came before, no longer ago than one of another honest client of the
 * same second; SEEN_LATE, SEEN_FULL: it is refused.
 */
enum seen_verdict replays_enter(
	struct replays *r, const struct claim *c, int64_t now) must_check;

/* Enter a user's login of before the start, for `keep_s` seconds more. */
void replays_restore(
	struct replays *r, const char *user, int64_t stamp, int64_t keep_s);

void replays_clear(struct replays *r);

#endif
