/* SPDX-License-Identifier: Apache-2.0 */

/* Percentiles: exact below 2,048, within 0.1 % above. */
// links: common/load/histogram.c

#include "common/load/histogram.h"

#include <criterion/criterion.h>

static struct histogram h;

Test(histogram, empty)
{
	cr_assert_eq(histogram_at(&h, 50), 0);
	cr_assert_eq(histogram_at(&h, 100), 0);
	cr_assert_float_eq(histogram_mean(&h), 0, 1e-9);
}

Test(histogram, small_values_exactly)
{
	for (int i = 1; i <= 1000; i++)
		histogram_record(&h, i);
	cr_assert_eq(histogram_at(&h, 0), 1);
	cr_assert_eq(histogram_at(&h, 50), 500);
	cr_assert_eq(histogram_at(&h, 99), 990);
	cr_assert_eq(histogram_at(&h, 99.9), 999);
	cr_assert_eq(histogram_at(&h, 100), 1000);
	cr_assert_float_eq(histogram_mean(&h), 500.5, 1e-9);
}

Test(histogram, three_digits_everywhere)
{
	for (int64_t v = 1; v < HISTOGRAM_MAX; v = v * 9 / 8 + 1) {
		struct histogram one = { 0 };
		int64_t at;

		histogram_record(&one, v);
		histogram_record(&one, HISTOGRAM_MAX);
		at = histogram_at(&one, 50);
		cr_assert_geq(at, v);
		cr_assert_leq(at - v, v / 1000);
	}
}

Test(histogram, bounds)
{
	histogram_record(&h, -5);
	histogram_record(&h, INT64_MAX);
	cr_assert_eq(h.min, 0);
	cr_assert_eq(h.max, HISTOGRAM_MAX);
	cr_assert_eq(histogram_at(&h, 100), HISTOGRAM_MAX);
}
