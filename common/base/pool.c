/* SPDX-License-Identifier: Apache-2.0 */

/* Slabs of slots; a slot is a 16-byte header and the object. */

#include "common/base/pool.h"

#include <assert.h>
#include <string.h>

#define SLAB_SLOTS 64
#define NONE UINT32_MAX

/* A free slot's `next` leads down the stack of free slots. */
struct slot {
	uint32_t index;
	uint32_t generation;
	uint32_t next;
	uint32_t out;
};

_Static_assert(sizeof(struct slot) == 16, "objects stay 16-byte aligned");

struct pool {
	size_t stride;
	uint32_t limit, made, used;
	uint32_t free;
	char *slabs[];
};

static struct slot *slot_of(const void *object)
{
	return (struct slot *)(void *)((char *)(uintptr_t)object -
				       sizeof(struct slot));
}

static struct slot *slot_at(struct pool *p, uint32_t index)
{
	char *slab = p->slabs[index / SLAB_SLOTS];

	return (struct slot *)(void *)(slab + index % SLAB_SLOTS * p->stride);
}

struct pool *pool_create(size_t size, uint32_t limit)
{
	size_t slabs = (limit + SLAB_SLOTS - 1) / SLAB_SLOTS;
	struct pool *p = calloc(1, sizeof(*p) + slabs * sizeof(char *));

	if (!p)
		return NULL;
	p->stride = sizeof(struct slot) + (size + 15) / 16 * 16;
	p->limit = limit;
	p->free = NONE;
	return p;
}

void pool_destroy(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	for (uint32_t i = 0; i < p->made; i += SLAB_SLOTS)
		free(p->slabs[i / SLAB_SLOTS]);
	free(p);
}

/* The next slot that was never used, or NULL. */
static struct slot *make_slot(struct pool *p)
{
	uint32_t index = p->made;
	char **slab = &p->slabs[index / SLAB_SLOTS];
	struct slot *s;

	if (index == p->limit)
		return NULL;
	if (index % SLAB_SLOTS == 0) {
		*slab = aligned_alloc(16, SLAB_SLOTS * p->stride);
		if (!*slab)
			return NULL;
	}
	p->made++;
	s = slot_at(p, index);
	s->index = index;
	s->generation = 0;
	return s;
}

void *pool_take(struct pool *p)
{
	struct slot *s;

	if (p->free != NONE) {
		s = slot_at(p, p->free);
		p->free = s->next;
	} else {
		s = make_slot(p);
		if (!s)
			return NULL;
	}
	if (++s->generation == 0)
		s->generation = 1;
	s->out = 1;
	p->used++;
	return memset(s + 1, 0, p->stride - sizeof(*s));
}

void pool_give(struct pool *p, void *object)
{
	struct slot *s = slot_of(object);

	assert(s->out && slot_at(p, s->index) == s);
	s->out = 0;
	s->next = p->free;
	p->free = s->index;
	p->used--;
}

struct handle pool_handle(const void *object)
{
	const struct slot *s = slot_of(object);

	return (struct handle){ s->index, s->generation };
}

void *pool_find(struct pool *p, struct handle h)
{
	struct slot *s;

	if (h.index >= p->made)
		return NULL;
	s = slot_at(p, h.index);
	return s->out && s->generation == h.generation ? s + 1 : NULL;
}

uint32_t pool_used(const struct pool *p)
{
	return p->used;
}

uint32_t pool_limit(const struct pool *p)
{
	return p->limit;
}

size_t pool_size_max(const struct pool *p)
{
	return (size_t)p->limit * p->stride;
}

void pool_each(struct pool *p, void (*visit)(void *object))
{
	for (uint32_t i = 0; i < p->made; i++) {
		struct slot *s = slot_at(p, i);

		if (s->out)
			visit(s + 1);
	}
}
