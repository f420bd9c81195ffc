/* SPDX-License-Identifier: Apache-2.0 */

/* Whole numbers as text. */
// links: common/conf/number.c

#include "common/conf/number.h"

#include <criterion/criterion.h>

Test(conf_number, reads_decimal_numbers_only)
{
	static const struct {
		const char *text;
		bool good;
		int64_t number;
	} rows[] = {
		{ "0", true, 0 },
		{ "7000", true, 7000 },
		{ "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "-0", false, 0 },
		{ "00", false, 0 },
		{ "07", false, 0 },
		{ "-07", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "--1", false, 0 },
		{ "0x10", false, 0 },
		{ "1e3", false, 0 },
		{ "1_000", false, 0 },
		{ "1.0", false, 0 },
		{ ".inf", false, 0 },
	};
	int64_t number;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		number = 0;
		cr_expect_eq(conf_number_read(rows[i].text, &number),
			rows[i].good, "%s", rows[i].text);
		if (rows[i].good)
			cr_expect_eq(number, rows[i].number);
	}
}
