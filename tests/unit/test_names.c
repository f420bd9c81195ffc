/* SPDX-License-Identifier: Apache-2.0 */

/* Names of several kinds in one table, each with one holder. */
// links: server/registry/names.c

#include "server/registry/names.h"

#include <criterion/criterion.h>

Test(names, kinds_are_apart)
{
	struct names n = { 0 };
	int a, b;

	cr_assert_null(names_find(&n, NAME_OF_PROXY, "x"));
	cr_assert(names_add(&n, NAME_OF_PROXY, "x", &a));
	cr_assert(names_add(&n, NAME_OF_PLACE, "x", &b));
	cr_assert(names_add(&n, NAME_OF_PLACE, "", &a));
	cr_assert_eq(names_find(&n, NAME_OF_PROXY, "x"), &a);
	cr_assert_eq(names_find(&n, NAME_OF_PLACE, "x"), &b);
	cr_assert_eq(names_find(&n, NAME_OF_PLACE, ""), &a);
	cr_assert_null(names_find(&n, NAME_OF_CONTROL, "x"));
	cr_assert_null(names_find(&n, NAME_OF_PROXY, "X"));
	/* Only the holder gives a name up. */
	names_drop(&n, NAME_OF_PROXY, "x", &b);
	cr_assert_eq(names_find(&n, NAME_OF_PROXY, "x"), &a);
	names_drop(&n, NAME_OF_PROXY, "x", &a);
	cr_assert_null(names_find(&n, NAME_OF_PROXY, "x"));
	names_clear(&n);
	cr_assert_null(names_find(&n, NAME_OF_PLACE, "x"));
}

static void count_holder(void *holder, void *arg)
{
	*(int *)arg += *(int *)holder;
}

Test(names, each_of_a_kind)
{
	struct names n = { 0 };
	int one = 1, ten = 10, hundred = 100, sum = 0;

	names_each(&n, NAME_OF_PROXY, count_holder, &sum);
	cr_assert(names_add(&n, NAME_OF_PROXY, "a", &one));
	cr_assert(names_add(&n, NAME_OF_CONTROL, "a", &hundred));
	cr_assert(names_add(&n, NAME_OF_PROXY, "b", &ten));
	names_each(&n, NAME_OF_PROXY, count_holder, &sum);
	cr_assert_eq(sum, 11);
	names_clear(&n);
}
