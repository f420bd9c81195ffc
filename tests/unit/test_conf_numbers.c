/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of numbers and ranges. */
// links: common/conf/numbers.c

#include "common/conf/numbers.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(conf_numbers, reads)
{
	struct conf_numbers l = { 0 };

	cr_assert_eq(conf_numbers_read(&l, " 1000-1002 , 7,9 - 9"), 0);
	cr_assert_eq(l.n, 5);
	cr_assert_eq(l.v[0], 1000);
	cr_assert_eq(l.v[2], 1002);
	cr_assert_eq(l.v[3], 7);
	cr_assert_eq(l.v[4], 9);
	conf_numbers_free(&l);
	cr_assert_eq(conf_numbers_read(&l, "1-65536"), 0);
	cr_assert_eq(l.n, CONF_NUMBERS_MAX);
	conf_numbers_free(&l);
}

Test(conf_numbers, refuses)
{
	static const char *const bad[] = { "", ",", "1,", "1-", "-1", "1-2-3",
		"a", "1 2", "2-1", "1-65537", "1-65536,1", "0x10", "1;2",
		"9999999999999999" };
	struct conf_numbers l = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(
			conf_numbers_read(&l, bad[i]), -EINVAL, "%s", bad[i]);
		conf_numbers_free(&l);
	}
}
