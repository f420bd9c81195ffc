/* SPDX-License-Identifier: Apache-2.0 */

/* The intrusive list. */
// links:

#include "common/base/list.h"

#include <criterion/criterion.h>

Test(list, order_and_removal)
{
	struct list head, n[4];
	int i = 0;

	list_init(&head);
	cr_assert(list_empty(&head));
	cr_assert_null(list_take(&head));
	for (i = 0; i < 4; i++)
		list_append(&head, &n[i]);
	i = 0;
	list_each (l, &head)
		cr_assert_eq(l, &n[i++]);
	list_remove(&n[1]);
	list_remove(&n[1]);
	cr_assert_eq(list_take(&head), &n[0]);
	cr_assert_eq(list_take(&head), &n[2]);
	cr_assert_eq(list_take(&head), &n[3]);
	cr_assert(list_empty(&head));
}

Test(list, removal_while_walking)
{
	struct list head, n[5];

	list_init(&head);
	for (int i = 0; i < 5; i++)
		list_append(&head, &n[i]);
	list_each_safe (l, &head)
		list_remove(l);
	cr_assert(list_empty(&head));
}
