/* SPDX-License-Identifier: Apache-2.0 */

/* A rate that is shared: how much passes, when, and whose turn it is. */
// links: common/relay/throttle.c

#include "common/relay/throttle.h"

#include <criterion/criterion.h>

#define KB 1024
#define MB (1024 * KB)
#define START (1000 * CLOCK_SECOND)

static struct throttle a, b;

static void under(struct turn *t, struct throttle *x, struct throttle *y)
{
	turn_init(t, &(struct throttles){ { x, y } });
}

Test(throttle, none)
{
	struct turn t;

	under(&t, NULL, NULL);
	cr_assert_eq(turn_take(&t, 12345, START), 12345);
	cr_assert_eq(turn_rate(&t), INT64_MAX);
	under(&t, NULL, &a);
	cr_assert_eq(t.under.of[0], &a);
	cr_assert_eq(turn_take(&t, 12345, START), 12345);
	cr_assert_eq(turn_rate(&t), INT64_MAX);
	turn_give(&t, 12345);
	turn_leave(&t);
	cr_assert_eq(a.paid, 0);
}

static void charge(uint32_t n, int64_t now)
{
	throttles_charge(&(struct throttles){ { NULL, &a } }, n, now);
}

/* What one who always wants gets, in one go or one after the other. */
static void all_at_once(struct turn *t, uint32_t want, int64_t now, uint64_t *n)
{
	uint32_t got;

	while ((got = turn_take(t, want, now)) > 0)
		*n += got;
}

#define TURNS_MAX 1000

static const struct {
	const char *name;
	int64_t rate;
	int turns;
	uint32_t want;
	int64_t tick;                /* the wakes are late by up to so much */
	uint64_t least, most, share; /* in 5 s; the least of each */
} rows[] = {
	{ "one of bulk", MB, 1, 256 * KB, CLOCK_MS, 5 * MB, 53 * MB / 10,
		5 * MB },
	{ "one of small ones", MB, 1, 100, CLOCK_MS, 5 * MB, 53 * MB / 10,
		5 * MB },
	{ "late wakes cost nothing", MB, 1, 16 * KB, 150 * CLOCK_MS,
		49 * MB / 10, 53 * MB / 10, 49 * MB / 10 },
	{ "twenty share", MB, 20, 16 * KB, CLOCK_MS, 5 * MB, 53 * MB / 10,
		240 * KB },
	{ "a thousand share", MB, 1000, 256 * KB, CLOCK_MS, 5 * MB,
		53 * MB / 10, 3 * KB },
	{ "a slow one", 10 * KB, 1, 16 * KB, CLOCK_MS, 50 * KB, 68 * KB,
		50 * KB },
	{ "twenty share a slow one", 10 * KB, 20, 16 * KB, CLOCK_MS, 50 * KB,
		68 * KB, 2 * KB },
	{ "the slowest", KB, 1, 16 * KB, CLOCK_MS, 20 * KB, 22 * KB, 20 * KB },
	{ "a fast one", INT64_C(1000) * MB, 4, 256 * KB, CLOCK_MS,
		INT64_C(5000) * MB, INT64_C(5300) * MB, INT64_C(1200) * MB },
};

Test(throttle, so_much_in_five_seconds)
{
	static struct turn turns[TURNS_MAX];

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		uint64_t got[TURNS_MAX] = { 0 }, sum = 0;
		int64_t now = START;

		a = (struct throttle){ .rate = rows[r].rate };
		for (int i = 0; i < rows[r].turns; i++)
			under(&turns[i], &a, NULL);
		for (; now < START + 5 * CLOCK_SECOND; now += rows[r].tick)
			for (int i = 0; i < rows[r].turns; i++)
				all_at_once(
					&turns[i], rows[r].want, now, &got[i]);
		for (int i = 0; i < rows[r].turns; i++) {
			sum += got[i];
			cr_assert_geq(got[i], rows[r].share, "%s: %d got %llu",
				rows[r].name, i, (unsigned long long)got[i]);
		}
		cr_assert(sum >= rows[r].least && sum <= rows[r].most,
			"%s: %llu", rows[r].name, (unsigned long long)sum);
	}
}

Test(throttle, nobody_is_woken_for_another)
{
	struct turn x, y;
	uint64_t n = 0;

	a.rate = 64 * KB;
	under(&x, &a, NULL);
	under(&y, &a, NULL);
	all_at_once(&x, KB, START, &n);
	/* The bucket of a chunk, and the piece that empties it. */
	cr_assert_eq(n, 17 * KB);
	cr_assert_eq(turn_take(&y, KB, START), 0);
	cr_assert_eq(turn_wait(&x, START), CLOCK_SECOND / 64);
	cr_assert_eq(turn_wait(&y, START), CLOCK_SECOND / 32);
	/* Asked again, x has its turn behind y's. */
	cr_assert_eq(turn_take(&x, KB, START + CLOCK_SECOND / 64), KB);
	cr_assert_eq(turn_take(&x, KB, START + CLOCK_SECOND / 64), 0);
	cr_assert_eq(turn_take(&y, KB, START + CLOCK_SECOND / 32), KB);
	cr_assert_eq(
		turn_wait(&x, START + CLOCK_SECOND / 32), CLOCK_SECOND / 64);
}

Test(throttle, what_does_not_go_is_another_ones)
{
	struct turn x;
	uint64_t n = 0;

	a.rate = MB;
	under(&x, &a, NULL);
	cr_assert_eq(turn_take(&x, 16 * KB, START), 16 * KB);
	turn_give(&x, 16 * KB);
	all_at_once(&x, KB, START, &n);
	cr_assert(
		n >= 204 * KB && n <= 206 * KB, "%llu", (unsigned long long)n);
	/* It waits, and leaves; and comes back for less than it had asked. */
	cr_assert_eq(turn_take(&x, 16 * KB, START), 0);
	turn_leave(&x);
	cr_assert_eq(turn_take(&x, 8 * KB, START), 0);
	cr_assert_eq(turn_take(&x, KB, START + CLOCK_SECOND), KB);
	n = KB;
	all_at_once(&x, KB, START + CLOCK_SECOND, &n);
	cr_assert(
		n >= 204 * KB && n <= 206 * KB, "%llu", (unsigned long long)n);
}

Test(throttle, a_new_rate_is_for_those_who_wait)
{
	struct turn x;
	uint64_t n = 0;

	a.rate = KB;
	under(&x, &a, NULL);
	all_at_once(&x, 16 * KB, START, &n);
	cr_assert_eq(turn_wait(&x, START), THROTTLE_LOOK);
	charge(100 * MB, START);
	throttle_set_rate(&a, 64 * KB);
	cr_assert_eq(turn_take(&x, 16 * KB, START), KB);
	throttle_set_rate(&a, 0);
	cr_assert_eq(turn_take(&x, 16 * KB, START), 16 * KB);
	/* The same again changes nothing. */
	throttle_set_rate(&a, KB);
	charge(100 * KB, START);
	throttle_set_rate(&a, KB);
	cr_assert_eq(turn_take(&x, 16 * KB, START + CLOCK_SECOND), 0);
}

Test(throttle, the_slower_of_two)
{
	struct turn x, y;
	uint64_t n = 0, m = 0;

	a.rate = MB;
	b.rate = 100 * KB;
	under(&x, &a, &b);
	under(&y, &a, NULL);
	cr_assert_eq(turn_rate(&x), 100 * KB);
	for (int64_t now = START; now < START + 5 * CLOCK_SECOND;
		now += CLOCK_MS) {
		all_at_once(&x, 16 * KB, now, &n);
		all_at_once(&y, 16 * KB, now, &m);
	}
	/* It stands in two lines. */
	cr_assert(
		n >= 470 * KB && n <= 530 * KB, "%llu", (unsigned long long)n);
	cr_assert(n + m >= 5 * MB && n + m <= 53 * MB / 10, "%llu",
		(unsigned long long)(n + m));
}

Test(throttle, held_by_many)
{
	struct throttle *t = throttle_new(MB), *u = throttle_hold(t);

	cr_assert_null(throttle_hold(NULL));
	throttle_drop(&t);
	cr_assert_null(t);
	throttle_drop(&t);
	cr_assert_eq(u->rate, MB);
	throttle_drop(&u);
}
