/* SPDX-License-Identifier: Apache-2.0 */

#include "common/event/chunk.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLAB_CHUNKS 64

/* Lent even when too many are in use. */
#define LENT_LEAST 16

struct slab {
	struct chunk chunks[SLAB_CHUNKS];
};

struct chunk_pool {
	uint32_t size, soft, hard;
	uint32_t made, out, lent, gives;
	struct chunk *free;
	struct slab *slabs[];
};

struct chunk_pool *chunk_pool_create(
	uint32_t size, uint32_t soft, uint32_t hard)
{
	size_t slabs = (hard + SLAB_CHUNKS - 1) / SLAB_CHUNKS;
	struct chunk_pool *p =
		calloc(1, sizeof(*p) + slabs * sizeof(p->slabs[0]));

	if (!p)
		return NULL;
	p->size = size;
	p->soft = soft;
	p->hard = hard;
	return p;
}

void chunk_pool_destroy(struct chunk_pool **pp)
{
	struct chunk_pool *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	for (uint32_t i = 0; i < p->made; i += SLAB_CHUNKS) {
		struct slab *s = p->slabs[i / SLAB_CHUNKS];

		munmap(s->chunks[0].data - CHUNK_HEADROOM,
			(size_t)SLAB_CHUNKS * p->size);
		free(s);
	}
	free(p);
}

uint32_t chunk_pool_used(const struct chunk_pool *p)
{
	return p->out - p->lent;
}

bool chunk_pool_scarce(const struct chunk_pool *p)
{
	return chunk_pool_used(p) > p->soft / 2;
}

uint32_t chunk_pool_lendable(const struct chunk_pool *p)
{
	uint32_t usual = chunk_pool_usual(p->soft), used = chunk_pool_used(p);
	uint32_t least = p->soft < LENT_LEAST ? p->soft : LENT_LEAST;

	return used + least > usual ? least : usual - used;
}

uint32_t chunk_pool_gives(const struct chunk_pool *p)
{
	return p->gives;
}

/* The n chunks from `c` on, which are neighbours: their whole pages. */
static void cool(struct chunk *c, uint32_t n)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from, to;

	if (n == 0)
		return;
	from = (uintptr_t)(c->data - CHUNK_HEADROOM);
	to = (from + (size_t)n * c->pool->size) / page * page;
	from = (from + page - 1) / page * page;
	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
	for (uint32_t i = 0; i < n; i++)
		c[i].warm = false;
}

void chunk_pool_trim(struct chunk_pool *p)
{
	for (uint32_t i = 0; i < p->made; i += SLAB_CHUNKS) {
		struct chunk *c = p->slabs[i / SLAB_CHUNKS]->chunks;
		uint32_t run = 0;

		for (uint32_t j = 0; j < SLAB_CHUNKS; j++) {
			if (c[j].warm) {
				run++;
				continue;
			}
			cool(&c[j - run], run);
			run = 0;
		}
		cool(&c[SLAB_CHUNKS - run], run);
	}
}

/* A slab's bytes are mapped, not touched: they cost nothing until used. */
static struct slab *make_slab(struct chunk_pool *p)
{
	size_t bytes = (size_t)SLAB_CHUNKS * p->size;
	struct slab *s = calloc(1, sizeof(*s));
	uint8_t *data;

	if (!s)
		return NULL;
	data = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED) {
		free(s);
		return NULL;
	}
	for (uint32_t i = 0; i < SLAB_CHUNKS; i++) {
		s->chunks[i].data = data + (size_t)i * p->size + CHUNK_HEADROOM;
		s->chunks[i].size = p->size - CHUNK_HEADROOM;
		s->chunks[i].pool = p;
	}
	return s;
}

static struct chunk *make_chunk(struct chunk_pool *p)
{
	struct slab **s = &p->slabs[p->made / SLAB_CHUNKS];

	if (p->made == p->hard)
		return NULL;
	if (p->made % SLAB_CHUNKS == 0) {
		*s = make_slab(p);
		if (!*s)
			return NULL;
	}
	return &(*s)->chunks[p->made++ % SLAB_CHUNKS];
}

static struct chunk *take(struct chunk_pool *p)
{
	struct chunk *c = p->free;

	if (c)
		p->free = c->next;
	else
		c = make_chunk(p);
	if (!c)
		return NULL;
	p->out++;
	c->next = NULL;
	c->from = 0;
	c->to = 0;
	return c;
}

struct chunk *chunk_take(struct chunk_pool *p)
{
	struct chunk *c = take(p);

	if (c)
		c->warm = false;
	return c;
}

struct chunk *chunk_lend(struct chunk_pool *p)
{
	struct chunk *c = take(p);

	if (c)
		p->lent++;
	return c;
}

void chunk_claim(struct chunk *c)
{
	c->warm = false;
	c->pool->lent--;
}

struct chunk *chunk_from_heap(uint32_t size)
{
	struct chunk *c = malloc(sizeof(*c) + CHUNK_HEADROOM + size);

	if (c)
		*c = (struct chunk){ .data = (uint8_t *)(c + 1) +
					     CHUNK_HEADROOM,
			.size = size };
	return c;
}

struct chunk *chunk_copy(const uint8_t *bytes, uint32_t size)
{
	struct chunk *c = chunk_from_heap(size);

	if (!c)
		return NULL;
	memcpy(c->data, bytes, size);
	c->to = size;
	return c;
}

struct chunk *chunk_split(struct chunk *c, uint32_t at)
{
	struct chunk *rest = chunk_copy(c->data + at, c->to - at);

	if (rest)
		c->to = at;
	return rest;
}

void chunk_give(struct chunk *c)
{
	if (!c)
		return;
	assert(c->from <= (int32_t)c->to && c->to <= c->size);
	if (!c->pool) {
		free(c);
		return;
	}
	c->warm = true;
	c->next = c->pool->free;
	c->pool->free = c;
	c->pool->out--;
	c->pool->gives++;
}

void chunk_queue_push(struct chunk_queue *q, struct chunk *c)
{
	c->next = NULL;
	if (q->head)
		q->tail->next = c;
	else
		q->head = c;
	q->tail = c;
}

void chunk_queue_push_first(struct chunk_queue *q, struct chunk *c)
{
	c->next = q->head;
	if (!q->head)
		q->tail = c;
	q->head = c;
}

struct chunk *chunk_queue_pop(struct chunk_queue *q)
{
	struct chunk *c = q->head;

	if (c) {
		q->head = c->next;
		c->next = NULL;
	}
	return c;
}

void chunk_queue_clear(struct chunk_queue *q)
{
	struct chunk *c;

	while ((c = chunk_queue_pop(q)))
		chunk_give(c);
}
