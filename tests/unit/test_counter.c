/* SPDX-License-Identifier: Apache-2.0 */

/* Counters and reasons: one row each, printed as one line. */
// links: common/base/counter.c common/base/reason.c

#include "common/base/counter.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(counter, one_line_with_every_name)
{
	struct counters c = { 0 };
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	count(&c, visitors);
	count_add(&c, bytes_in, 1000);
	c.ended[REASON_done] = 7;
	counters_print(&c, f);
	fclose(f);
	cr_assert(strstr(text, " visitors=1"));
	cr_assert(strstr(text, " bytes_in=1000"));
	cr_assert(strstr(text, " ended_done=7"));
	cr_assert_null(strchr(text, '\n'));
	free(text);
}
