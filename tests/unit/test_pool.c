/* SPDX-License-Identifier: Apache-2.0 */

/* Bounded pools and handles that outlive their objects. */
// links: common/base/pool.c

#include "common/base/pool.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(pool, limit_and_zeroing)
{
	struct pool *p = pool_create(40, 100);
	char *o[100];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			o[i] = pool_take(p);
			cr_assert_not_null(o[i]);
			cr_assert_eq((uintptr_t)o[i] % 16, 0);
			for (int k = 0; k < 40; k++)
				cr_assert_eq(o[i][k], 0);
			memset(o[i], 0xaa, 40);
		}
		cr_assert_null(pool_take(p));
		cr_assert_eq(pool_used(p), 100);
		for (int i = 0; i < 100; i++)
			pool_give(p, o[i]);
		cr_assert_eq(pool_used(p), 0);
	}
	cr_assert_eq(pool_limit(p), 100);
	pool_destroy(&p);
	pool_destroy(&p);
}

Test(pool, last_in_first_out)
{
	struct pool *p = pool_create(8, 10);
	void *a = pool_take(p), *b = pool_take(p);

	pool_give(p, a);
	pool_give(p, b);
	cr_assert_eq(pool_take(p), b);
	cr_assert_eq(pool_take(p), a);
	pool_destroy(&p);
}

Test(pool, handles)
{
	struct pool *p = pool_create(8, 10);
	void *a = pool_take(p), *b;
	struct handle h = pool_handle(a), none = { 0 };

	cr_assert_eq(pool_find(p, h), a);
	cr_assert_null(pool_find(p, none));
	pool_give(p, a);
	cr_assert_null(pool_find(p, h));
	b = pool_take(p);
	cr_assert_eq(b, a);
	cr_assert_null(pool_find(p, h));
	cr_assert_eq(pool_find(p, pool_handle(b)), b);
	h.index = 1000000;
	cr_assert_null(pool_find(p, h));
	pool_destroy(&p);
}

static struct pool *walked;
static int visits;

static void visit(void *object)
{
	visits++;
	pool_give(walked, object);
}

Test(pool, each_may_give_back)
{
	walked = pool_create(8, 1000);
	for (int i = 0; i < 1000; i++)
		cr_assert_not_null(pool_take(walked));
	pool_each(walked, visit);
	cr_assert_eq(visits, 1000);
	cr_assert_eq(pool_used(walked), 0);
	pool_destroy(&walked);
}

Test(pool, memory_goes_back_and_handles_stay_dead)
{
	struct pool *p = pool_create(1000, 10000);
	static void *o[10000];
	struct handle first;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10000; i++)
			cr_assert_not_null(o[i] = pool_take(p));
		cr_assert_null(pool_take(p));
		if (round == 0)
			first = pool_handle(o[70]);
		else
			cr_assert_null(pool_find(p, first));
		/* From the middle outwards, every slab once empty. */
		for (int i = 0; i < 5000; i++) {
			pool_give(p, o[4999 - i]);
			pool_give(p, o[5000 + i]);
		}
		cr_assert_eq(pool_used(p), 0);
		cr_assert_null(pool_find(p, first));
	}
	pool_destroy(&p);
}

Test(pool, a_slab_in_use_stays)
{
	struct pool *p = pool_create(100, 1000);
	void *o[1000];
	struct handle h;

	for (int i = 0; i < 1000; i++)
		o[i] = pool_take(p);
	h = pool_handle(o[500]);
	memset(o[500], 7, 100);
	for (int i = 0; i < 1000; i++)
		if (i != 500)
			pool_give(p, o[i]);
	cr_assert_eq(pool_find(p, h), o[500]);
	cr_assert_eq(((char *)o[500])[99], 7);
	for (int i = 1; i < 1000; i++)
		cr_assert_not_null(pool_take(p));
	cr_assert_null(pool_take(p));
	pool_destroy(&p);
}
