/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The logins of frp's kind that were accepted, so that one which somebody has
 * listened to is not accepted once more. Honest clients of one user that log
 * in within one second say the same: for a while it may come again. Nothing is
 * forgotten before its time, for whatever others do: a user that has too many
 * gets no new ones in. For one thread.
 */

#ifndef ADIT_SERVER_USERS_SEEN_H
#define ADIT_SERVER_USERS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* How long after the first one. */
#define SEEN_GRACE (30 * CLOCK_SECOND)

/*
 * Of one user at once. One client whose link breaks every 20 s, as often as
 * frpc comes back then, has fewer in two days.
 */
#define SEEN_MAX 8704

struct seen_user;

/* All zero is empty. */
struct seen {
	struct seen_user *users;
	struct seen_user *turn; /* who is looked at next; NULL: the first */
	size_t count;           /* of all of them */
};

enum seen_verdict {
	SEEN_NEW,
	SEEN_AGAIN, /* within the grace */
	SEEN_LATE,  /* too long after the first one; or there is no memory */
	SEEN_FULL,  /* a new one, and there are too many of its user */
};

/*
 * Enter a user's login, which is known again by what it says; it is kept for
 * `keep` (ns) from `now` (clock.h).
 */
enum seen_verdict seen_enter(struct seen *s, const char *user, const char *what,
	int64_t now, int64_t keep) must_check;

/* Enter one of long ago: it may not come again. */
void seen_restore(struct seen *s, const char *user, const char *what,
	int64_t now, int64_t keep);

void seen_clear(struct seen *s);

#endif
