/* SPDX-License-Identifier: Apache-2.0 */

/* The time as HTTP writes it. */
// links: common/http/date.c

#include "common/http/date.h"

#include <criterion/criterion.h>

Test(date, text)
{
	struct http_date d = { 0 };
	const char *text = http_date(&d, 784111777);

	cr_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	cr_assert_eq(http_date(&d, 784111777), text);
	cr_assert_str_eq(
		http_date(&d, 1795651199), "Wed, 25 Nov 2026 23:59:59 GMT");
	cr_assert_str_eq(http_date(&d, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
}
