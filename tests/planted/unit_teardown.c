/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug in a unit test: the runner must report it. */

#include <criterion/criterion.h>

static void done(void)
{
	cr_assert(false, "something is left");
}

Test(planted, teardown, .fini = done)
{
	cr_assert(true);
}
