/* SPDX-License-Identifier: Apache-2.0 */

/* Reasons have a name, a sentence, and are clean or not. */
// links: common/base/reason.c

#include "common/base/reason.h"

#include <criterion/criterion.h>
#include <string.h>

Test(reason, every_row)
{
	for (int r = 0; r < REASONS; r++) {
		const char *name = reason_name((enum reason)r);

		cr_assert_gt(strlen(name), 2);
		cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
			strlen(name));
		cr_assert_gt(strlen(reason_text((enum reason)r)), 10);
	}
	cr_assert(reason_is_clean(REASON_done));
	cr_assert_not(reason_is_clean(REASON_visitor_reset));
}
