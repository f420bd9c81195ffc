/* SPDX-License-Identifier: Apache-2.0 */

/* Who takes a client over: how often, from where, and that it is bounded. */
// links: server/registry/takeovers.c
// libs: -Wl,--wrap=malloc

#include "server/registry/takeovers.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/scarce.h"

#define SECOND CLOCK_SECOND

static struct takeovers t;

static void done(void)
{
	takeovers_clear(&t);
	cr_assert_eq(t.count, 0);
}

TestSuite(takeovers, .fini = done);

/* From address to address, each time; the first letter is where it was. */
struct row {
	const char *way;
	int64_t step;    /* s between them */
	const char *may; /* of each take-over: + or - */
};

/* Who is refused does not have it: the next one takes it from who has. */
Test(takeovers, table)
{
	static const struct row rows[] = {
		{ "AB", 1, "+" },
		{ "ABA", 1, "++" },
		{ "ABAB", 1, "+++" },
		{ "ABABA", 1, "+++-" },
		{ "ABABAAAA", 1, "+++----" },
		/* Who has it may come again, the other one may not. */
		{ "ABABAB", 1, "+++-+" },
		{ "ABABABA", 1, "+++-+-" },
		/* From the same address it may as often as it likes. */
		{ "AAAAAAAAAA", 0, "+++++++++" },
		{ "AABBAABBA", 1, "+++++++-" },
		{ "AABBAABBAAB", 1, "+++++++--+" },
		/* Three in a minute, and no more. */
		{ "ABABABABAB", 20, "+++++++++" },
		{ "ABABABAB", 19, "+++-+++" },
		/* A third address is no alternation of two. */
		{ "ABCABCABCABC", 1, "+++++++++++" },
		{ "ABABCBABA", 1, "++++++++" },
	};
	char from[2] = "", to[2] = "", name[8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		int64_t now = 1000 * SECOND;

		snprintf(name, sizeof(name), "%zu", i);
		*from = r->way[0];
		for (size_t k = 1; r->way[k]; k++, now += r->step * SECOND) {
			*to = r->way[k];
			cr_expect_eq(takeovers_enter(&t, name, from, to, now),
				r->may[k - 1] == '+', "%s: %zu", r->way, k);
			if (r->may[k - 1] == '+')
				*from = *to;
		}
	}
}

Test(takeovers, time_is_exact)
{
	cr_assert(takeovers_enter(&t, "x", "A", "B", 0));
	cr_assert(takeovers_enter(&t, "x", "B", "A", 1));
	cr_assert(takeovers_enter(&t, "x", "A", "B", 2));
	cr_assert_not(takeovers_enter(&t, "x", "B", "A", TAKEOVERS_TIME - 1));
	cr_assert(takeovers_enter(&t, "x", "B", "A", TAKEOVERS_TIME));
	cr_assert_not(takeovers_enter(&t, "x", "A", "B", TAKEOVERS_TIME));
	cr_assert(takeovers_enter(&t, "x", "A", "B", TAKEOVERS_TIME + 1));
}

/* Whichever of the two a third address takes it from, or for. */
Test(takeovers, between_others)
{
	static const char *const ways[][2] = { { "A", "C" }, { "C", "B" },
		{ "C", "A" }, { "B", "C" } };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		for (int k = 0; k < TAKEOVERS_MAX; k++)
			cr_assert(takeovers_enter(&t, "x", "A", "B", k));
		cr_assert_not(takeovers_enter(&t, "x", "A", "B", 9));
		cr_assert_not(takeovers_enter(&t, "x", "B", "A", 9));
		cr_assert(takeovers_enter(&t, "x", ways[i][0], ways[i][1], 9),
			"%s%s", ways[i][0], ways[i][1]);
		takeovers_clear(&t);
	}
}

Test(takeovers, clients_are_apart)
{
	for (int i = 0; i < TAKEOVERS_MAX; i++)
		cr_assert(takeovers_enter(&t, "a/x", "A", "B", i));
	cr_assert_not(takeovers_enter(&t, "a/x", "A", "B", 9));
	cr_assert(takeovers_enter(&t, "b/x", "A", "B", 9));
	cr_assert(takeovers_enter(&t, "a/", "A", "B", 9));
	cr_assert_eq(t.count, 3);
}

Test(takeovers, bounded_and_forgotten)
{
	char name[16];

	for (int i = 0; i < TAKEOVERS_CLIENTS + 100; i++) {
		snprintf(name, sizeof(name), "%d", i);
		cr_assert(takeovers_enter(&t, name, "A", "B", i));
		cr_assert_leq(t.count, TAKEOVERS_CLIENTS);
	}
	cr_assert(takeovers_enter(&t, "x", "A", "B", 1 + TAKEOVERS_TIME * 2));
	cr_assert_eq(t.count, 1);
}

/* Who cannot be remembered may; and is not counted. */
Test(takeovers, without_memory)
{
	cr_assert(takeovers_enter(&t, "me", "A", "B", SECOND));
	scarce_left = 0;
	cr_assert(takeovers_enter(&t, "me", "B", "A", 2 * SECOND));
	cr_assert_eq(t.count, 0);
	scarce_left = INT_MAX;
	cr_assert(takeovers_enter(&t, "me", "A", "B", 3 * SECOND));
	cr_assert_eq(t.count, 1);
}
