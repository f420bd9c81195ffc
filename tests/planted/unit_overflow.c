/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug in a unit test: the runner must report it. */

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

Test(planted, overflow)
{
	volatile int n = INT_MAX;

	n = n + 1;
	cr_assert(n);
}
