/* SPDX-License-Identifier: Apache-2.0 */

/* Logins that were seen: the grace, the end of keeping, the bound. */
// links: server/users/seen.c
// libs: -Wl,--wrap=malloc

#include "server/users/seen.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "tests/unit/scarce.h"

#define HOUR (3600 * CLOCK_SECOND)

static struct seen seen;

static void done(void)
{
	seen_clear(&seen);
}

TestSuite(seen, .fini = done);

static const char *text_of(int64_t stamp)
{
	static char text[24];

	snprintf(text, sizeof(text), "%" PRId64, stamp);
	return text;
}

static enum seen_verdict enter(const char *user, int64_t stamp, int64_t now)
{
	return seen_enter(&seen, user, text_of(stamp), now, HOUR);
}

Test(seen, again_within_the_grace_only)
{
	cr_assert_neq(enter("alice", 1700000000, HOUR), SEEN_LATE);
	cr_assert_neq(enter("alice", 1700000000, HOUR + 1), SEEN_LATE);
	cr_assert_neq(enter("alice", 1700000000, HOUR + SEEN_GRACE), SEEN_LATE);
	cr_assert_eq(
		enter("alice", 1700000000, HOUR + SEEN_GRACE + 1), SEEN_LATE);
	/* The grace is from the first one, not from the last. */
	cr_assert_eq(
		enter("alice", 1700000000, HOUR + SEEN_GRACE + 2), SEEN_LATE);
	cr_assert_eq(seen.count, 1);
}

Test(seen, others_are_others)
{
	cr_assert_neq(enter("alice", 1700000000, 1), SEEN_LATE);
	cr_assert_neq(enter("alice", 1700000001, 2), SEEN_LATE);
	cr_assert_neq(enter("bob", 1700000000, 3), SEEN_LATE);
	cr_assert_eq(seen.count, 3);
	cr_assert_eq(enter("bob", 1700000000, 3 + SEEN_GRACE + 1), SEEN_LATE);
}

Test(seen, forgotten_in_time)
{
	cr_assert_neq(enter("alice", 1, 0), SEEN_LATE);
	cr_assert_neq(enter("alice", 2, HOUR / 2), SEEN_LATE);
	cr_assert_eq(enter("alice", 1, HOUR - 1), SEEN_LATE);
	cr_assert_neq(enter("alice", 3, HOUR), SEEN_LATE);
	cr_assert_eq(seen.count, 2);
	cr_assert_neq(enter("alice", 1, HOUR), SEEN_LATE);
}

/* Who has too many gets no more in; of others nothing is forgotten. */
Test(seen, bounded)
{
	cr_assert_eq(enter("bob", 1, 0), SEEN_NEW);
	for (int64_t i = 0; i < SEEN_MAX; i++)
		cr_assert_eq(enter("alice", i, i), SEEN_NEW);
	for (int64_t i = 0; i < 1000; i++)
		cr_assert_eq(enter("alice", SEEN_MAX + i, SEEN_MAX), SEEN_FULL);
	cr_assert_eq(seen.count, SEEN_MAX + 1);
	cr_assert_eq(enter("alice", 0, SEEN_MAX), SEEN_AGAIN);
	cr_assert_eq(enter("alice", 0, SEEN_GRACE + 1), SEEN_LATE);
	cr_assert_eq(enter("bob", 1, SEEN_GRACE + 1), SEEN_LATE);
	cr_assert_eq(enter("bob", 2, SEEN_GRACE + 1), SEEN_NEW);
	/* One is over, and makes room for one. */
	cr_assert_eq(enter("alice", SEEN_MAX, HOUR), SEEN_NEW);
	cr_assert_eq(enter("alice", SEEN_MAX + 1, HOUR), SEEN_FULL);
}

Test(seen, of_users_who_come_no_more)
{
	char user[24];

	for (int i = 0; i < 100; i++) {
		snprintf(user, sizeof(user), "user-%d", i);
		cr_assert_eq(enter(user, i, 0), SEEN_NEW);
	}
	/* Each time one more of them is looked at. */
	for (int i = 0; i < 101; i++)
		cr_assert_eq(enter("alice", i, HOUR), SEEN_NEW);
	cr_assert_eq(seen.count, 101);
}

Test(seen, restored_ones_come_no_more)
{
	seen_restore(&seen, "alice", "1700000000", 0, HOUR);
	seen_restore(&seen, "alice", "1700000001", 0, HOUR / 2);
	cr_assert_eq(enter("alice", 1700000000, 0), SEEN_LATE);
	cr_assert_eq(enter("alice", 1700000000, HOUR - 1), SEEN_LATE);
	cr_assert_eq(enter("alice", 1700000001, HOUR - 1), SEEN_NEW);
	cr_assert_eq(enter("alice", 1700000000, HOUR), SEEN_NEW);
}

/* Who cannot be remembered is not let in; and nobody is forgotten for it. */
Test(seen, without_memory)
{
	/* Two for the table of users, and two for that of one's logins. */
	for (int left = 0; left < 4; left++) {
		scarce_left = left;
		cr_assert_eq(enter("alice", 1, HOUR), SEEN_LATE);
		cr_assert_eq(seen.count, 0);
		cr_assert_null(seen.users);
	}
	scarce_left = INT_MAX;
	cr_assert_eq(enter("alice", 1, HOUR), SEEN_NEW);
	scarce_left = 0;
	cr_assert_eq(enter("bob", 1, HOUR), SEEN_LATE);
	cr_assert_eq(enter("alice", 1, HOUR), SEEN_AGAIN);
	scarce_left = INT_MAX;
	cr_assert_eq(seen.count, 1);
	cr_assert_eq(enter("bob", 1, HOUR), SEEN_NEW);
}
