/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug in a unit test: the runner must report it. */

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

static void *volatile kept;

Test(planted, leak)
{
	kept = malloc(100);
	cr_assert(kept);
	kept = NULL;
}
