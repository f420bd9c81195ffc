/* SPDX-License-Identifier: Apache-2.0 */

/* What is printed, to where all is taken, and to where nothing is. */
// links: common/base/output.c

#include "common/base/output.h"

#include <criterion/criterion.h>

/* Whether n bytes are written; n is more than a buffer holds, or less. */
static bool writes(const char *path, size_t n)
{
	FILE *f = fopen(path, "we");

	cr_assert_not_null(f);
	for (size_t i = 0; i < n; i++)
		putc('x', f);
	return output_close(f, "test", path);
}

Test(output, all_or_an_error)
{
	static const size_t sizes[] = { 0, 1, 4096, 100000 };

	for (size_t i = 0; i < 4; i++) {
		cr_assert(writes("/dev/null", sizes[i]));
		cr_assert_eq(writes("/dev/full", sizes[i]), sizes[i] == 0);
	}
}

/* What failed before fclose(3) had nothing left to write. */
Test(output, an_early_error)
{
	FILE *f = fopen("/dev/full", "we");

	cr_assert_not_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	putc('x', f);
	cr_assert_not(output_close(f, "test", "/dev/full"));
}
