/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The logins of frp's kind that were accepted, so that one which somebody has
 * listened to is not accepted once more. Honest clients of one user that log
 * in within one second say the same: for a while it may come again. For one
 * thread.
 */

#ifndef ADIT_SERVER_USERS_SEEN_H
#define ADIT_SERVER_USERS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* How long after the first one. */
#define SEEN_GRACE (30 * CLOCK_SECOND)

/* As many are kept; then the oldest is forgotten. */
#define SEEN_MAX 65536

struct seen_login;

/* All zero is empty. */
struct seen {
	struct seen_login *table; /* in the order in which they came */
	size_t count;
};

enum seen_verdict {
	SEEN_NEW,
	SEEN_AGAIN, /* within the grace */
	SEEN_LATE,  /* too long after the first one; or there is no memory */
};

/*
 * Enter a user's login of this time, kept for `keep` (ns) from `now`
 * (clock.h).
 */
enum seen_verdict seen_enter(struct seen *s, const char *user, int64_t stamp,
	int64_t now, int64_t keep) must_check;

/* Enter one of long ago: it may not come again. */
void seen_restore(struct seen *s, const char *user, int64_t stamp, int64_t now,
	int64_t keep);

void seen_clear(struct seen *s);

#endif
