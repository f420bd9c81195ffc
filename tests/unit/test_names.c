/* SPDX-License-Identifier: Apache-2.0 */

/* Names of several kinds in one table, each with one holder. */
// links: server/registry/names.c
// libs: -Wl,--wrap=malloc

#include "server/registry/names.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/scarce.h"

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

/* Only the holder hands a name on. */
Test(names, are_handed_on)
{
	struct names n = { 0 };
	int a, b, c;

	cr_assert(names_add(&n, NAME_OF_GROUP, "x", &a));
	names_hand(&n, NAME_OF_GROUP, "x", &b, &c);
	cr_assert_eq(names_find(&n, NAME_OF_GROUP, "x"), &a);
	names_hand(&n, NAME_OF_GROUP, "x", &a, &b);
	cr_assert_eq(names_find(&n, NAME_OF_GROUP, "x"), &b);
	names_hand(&n, NAME_OF_GROUP, "y", &a, &b);
	cr_assert_null(names_find(&n, NAME_OF_GROUP, "y"));
	names_clear(&n);
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

/* What cannot be added is not there, and all others are. */
Test(names, without_memory)
{
	struct names n = { 0 };
	char name[16];
	int a, added = 0;

	/* The table, then its buckets. */
	for (scarce_left = 0; scarce_left < 2;) {
		int left = scarce_left;

		cr_assert_not(names_add(&n, NAME_OF_PROXY, "x", &a));
		cr_assert_null(names_find(&n, NAME_OF_PROXY, "x"));
		scarce_left = left + 1;
	}
	/* Until it has to grow. */
	for (;; added++) {
		snprintf(name, sizeof(name), "%d", added);
		if (!names_add(&n, NAME_OF_PROXY, name, &a))
			break;
		cr_assert_lt(added, 1000);
	}
	cr_assert_null(names_find(&n, NAME_OF_PROXY, name));
	for (int i = 0; i < added; i++) {
		snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(names_find(&n, NAME_OF_PROXY, name), &a);
	}
	scarce_left = INT_MAX;
	snprintf(name, sizeof(name), "%d", added);
	cr_assert(names_add(&n, NAME_OF_PROXY, name, &a));
	names_clear(&n);
}
