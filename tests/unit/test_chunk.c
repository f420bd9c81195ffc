/* SPDX-License-Identifier: Apache-2.0 */

/* Chunks: soft and hard limits, order, queues. */
// links: common/event/chunk.c

#include "common/event/chunk.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

Test(chunk, limits)
{
	struct chunk_pool *p = chunk_pool_create(100, 8, 12);
	struct chunk *c[12];

	for (uint32_t i = 0; i < 12; i++) {
		c[i] = chunk_take(p);
		cr_assert_not_null(c[i]);
		cr_assert_eq(c[i]->size, 100 - CHUNK_HEADROOM);
		cr_assert_eq(chunk_length(c[i]), 0);
		cr_assert_eq(chunk_pool_used(p), i + 1);
		cr_assert_eq(chunk_pool_scarce(p), i + 1 > 4);
	}
	cr_assert_null(chunk_take(p));
	for (int i = 0; i < 12; i++)
		chunk_give(c[i]);
	chunk_give(NULL);
	cr_assert_eq(chunk_pool_used(p), 0);
	cr_assert_eq(chunk_take(p), c[11]);
	chunk_give(c[11]);
	chunk_pool_destroy(&p);
}

Test(chunk, lent_ones_do_not_count)
{
	struct chunk_pool *p = chunk_pool_create(100, 8, 12);
	struct chunk *c = chunk_lend(p);

	cr_assert_eq(chunk_pool_used(p), 0);
	chunk_claim(c);
	cr_assert_eq(chunk_pool_used(p), 1);
	chunk_give(c);
	chunk_pool_destroy(&p);
}

/* Which of the slab's chunks hold memory. */
static bool is_resident(const struct chunk *c)
{
	unsigned char in = 0;

	cr_assert_eq(mincore(c->data - CHUNK_HEADROOM, 4096, &in), 0);
	return in & 1;
}

Test(chunk, memory_goes_back)
{
	struct chunk_pool *p = chunk_pool_create(4096, 100, 100);
	struct chunk *c[100];
	uint32_t gives = chunk_pool_gives(p);

	for (int i = 0; i < 100; i++) {
		c[i] = chunk_take(p);
		c[i]->data[0] = c[i]->data[4000] = (uint8_t)i;
	}
	for (int i = 0; i < 100; i++)
		if (i != 7 && i != 64)
			chunk_give(c[i]);
	cr_assert_eq(chunk_pool_gives(p) - gives, 98);
	/* One is lent, and was used before. */
	cr_assert_eq(chunk_lend(p), c[99]);
	chunk_pool_trim(p);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(is_resident(c[i]), i == 7 || i == 64, "%d", i);
	cr_assert_eq(c[7]->data[4000], 7);
	cr_assert_eq(c[64]->data[0], 64);
	chunk_claim(c[99]);
	chunk_give(c[7]);
	chunk_give(c[64]);
	chunk_give(c[99]);
	chunk_pool_destroy(&p);
}

/* Where several are in a page, no neighbour loses its bytes. */
Test(chunk, small_ones_keep_their_bytes)
{
	struct chunk_pool *p = chunk_pool_create(1032, 100, 100);
	struct chunk *c[100];

	for (int i = 0; i < 100; i++) {
		c[i] = chunk_take(p);
		memset(c[i]->data, i, c[i]->size);
	}
	for (int i = 0; i < 100; i += 2)
		chunk_give(c[i]);
	for (int i = 40; i < 60; i++)
		if (i % 2)
			chunk_give(c[i]);
	chunk_pool_trim(p);
	for (int i = 1; i < 100; i += 2) {
		if (i >= 40 && i < 60)
			continue;
		for (uint32_t k = 0; k < c[i]->size; k++)
			cr_assert_eq(c[i]->data[k], i);
		chunk_give(c[i]);
	}
	chunk_pool_destroy(&p);
}

Test(chunk, queue)
{
	struct chunk_queue q = { 0 };
	struct chunk *a = chunk_from_heap(10), *b = chunk_from_heap(10);

	cr_assert_null(chunk_queue_pop(&q));
	chunk_queue_push(&q, a);
	chunk_queue_push(&q, b);
	cr_assert_eq(chunk_queue_pop(&q), a);
	chunk_queue_push(&q, a);
	cr_assert_eq(chunk_queue_pop(&q), b);
	chunk_give(b);
	chunk_queue_clear(&q);
	cr_assert_null(chunk_queue_pop(&q));
}

/* With those in use, twice the soft limit; a few always. */
Test(chunk, lending_leaves_room)
{
	struct chunk_pool *p = chunk_pool_create(1024, 32, 128);
	struct chunk *out[80];

	cr_assert_eq(chunk_pool_lendable(p), 64);
	for (int i = 0; i < 40; i++)
		cr_assert_not_null(out[i] = chunk_take(p));
	cr_assert_eq(chunk_pool_lendable(p), 24);
	for (int i = 40; i < 80; i++)
		cr_assert_not_null(out[i] = chunk_take(p));
	cr_assert_eq(chunk_pool_lendable(p), 16);
	for (int i = 0; i < 80; i++)
		chunk_give(out[i]);
	cr_assert_eq(chunk_pool_lendable(p), 64);
	chunk_pool_destroy(&p);
}
