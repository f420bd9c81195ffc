/* SPDX-License-Identifier: Apache-2.0 */

/* How many idle work connections the visitors need. */
// links: server/control/demand.c

#include "server/control/demand.h"

#include <criterion/criterion.h>

#include "common/base/clock.h"

/* `n` visitors, evenly over a second that begins at `from`. */
static void second_of(struct demand *d, int64_t from, int n)
{
	for (int i = 0; i < n; i++)
		demand_arrival(d, from + i * CLOCK_SECOND / n);
}

Test(demand, one_when_nothing_is_known)
{
	struct demand d = { 0 };

	cr_assert_eq(demand_idle(&d, CLOCK_SECOND), 1);
	second_of(&d, CLOCK_SECOND, 1000);
	cr_assert_eq(demand_idle(&d, 2 * CLOCK_SECOND), 1);
}

Test(demand, twice_what_comes_while_one_is_made)
{
	struct demand d = { 0 };

	demand_asked(&d, CLOCK_SECOND, 0);
	demand_answered(&d, CLOCK_SECOND + 50 * CLOCK_MS);
	second_of(&d, 2 * CLOCK_SECOND, 100);
	cr_assert_eq(demand_idle(&d, 3 * CLOCK_SECOND - 1), 1 + 10);
	/* The second before counts until this one has more. */
	second_of(&d, 3 * CLOCK_SECOND, 60);
	cr_assert_eq(demand_idle(&d, 4 * CLOCK_SECOND - 1), 1 + 10);
	second_of(&d, 4 * CLOCK_SECOND, 60);
	cr_assert_eq(demand_idle(&d, 5 * CLOCK_SECOND - 1), 1 + 6);
	/* Nobody comes any more. */
	cr_assert_eq(demand_idle(&d, 7 * CLOCK_SECOND), 1);
}

Test(demand, the_answer_measured_is_the_one_asked_for)
{
	struct demand d = { 0 };

	/* Two are on their way already. */
	demand_asked(&d, CLOCK_SECOND, 2);
	demand_asked(&d, CLOCK_SECOND + CLOCK_MS, 3);
	demand_answered(&d, CLOCK_SECOND + 2 * CLOCK_MS);
	demand_answered(&d, CLOCK_SECOND + 3 * CLOCK_MS);
	cr_assert_eq(d.making, 0);
	demand_answered(&d, CLOCK_SECOND + 40 * CLOCK_MS);
	cr_assert_eq(d.making, 40 * CLOCK_MS);
	/* Smoothed, and nothing was asked for the last one. */
	demand_asked(&d, 2 * CLOCK_SECOND, 0);
	demand_answered(&d, 2 * CLOCK_SECOND + 80 * CLOCK_MS);
	cr_assert_eq(d.making, 50 * CLOCK_MS);
	demand_answered(&d, 3 * CLOCK_SECOND);
	cr_assert_eq(d.making, 50 * CLOCK_MS);
}
