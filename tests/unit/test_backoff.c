/* SPDX-License-Identifier: Apache-2.0 */

/* How attempts spread over time. */
// links: client/backoff.c

#include "client/backoff.h"

#include <criterion/criterion.h>

#include "common/base/clock.h"

Test(backoff, quick_then_slower_then_steady)
{
	for (uint32_t random = 0; random < 5000; random += 31) {
		struct backoff b = { 0 };
		int64_t total = 0, wait;

		cr_assert_leq(backoff_next(&b, random), 150 * CLOCK_MS);
		cr_assert_leq(backoff_next(&b, random), 300 * CLOCK_MS);
		cr_assert_leq(backoff_next(&b, random), 750 * CLOCK_MS);
		for (total = 0; total < 50 * CLOCK_SECOND; total += wait) {
			wait = backoff_next(&b, random);
			cr_assert_geq(wait, CLOCK_SECOND);
			cr_assert_leq(wait, 3 * CLOCK_SECOND / 2);
		}
		for (int i = 0; i < 50; i++) {
			wait = backoff_next(&b, random);
			cr_assert_leq(wait, 20 * CLOCK_SECOND);
		}
		cr_assert_geq(wait, 10 * CLOCK_SECOND);
		backoff_reset(&b);
		cr_assert_leq(backoff_next(&b, random), 150 * CLOCK_MS);
	}
}

Test(backoff, jitter)
{
	struct backoff a = { .attempts = 5 }, b = { .attempts = 5 };

	cr_assert_neq(backoff_next(&a, 0), backoff_next(&b, 1000));
}
