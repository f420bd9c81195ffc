/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Slabs of slots; a slot is a 16-byte header and the object. A slab whose
 * last object came back is unmapped, unless few of the others are empty.
 */

#include "common/base/pool.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* What was given back is nobody's: the sanitizer watches that. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* Two pages, or what eight objects need. */
#define SLAB_BYTES 8192
#define SLAB_SLOTS_MIN 8

/*
 * Up to this part of the mapped slabs may be empty ones, and so many always:
 * objects that come and go in batches would map and unmap one slab each time.
 */
#define EMPTY_PART 4
#define EMPTY_ALWAYS 4

#define NONE UINT32_MAX

/* A free slot's `next` leads down its slab's stack of free slots. */
struct slot {
	uint32_t index;
	uint32_t generation;
	uint32_t next;
	uint32_t out;
};

_Static_assert(sizeof(struct slot) == 16, "objects stay 16-byte aligned");

/* Where a slab is: full ones are in no list. */
enum slab_place {
	SLAB_FULL,
	SLAB_ROOMY,    /* with objects, and room for more */
	SLAB_EMPTY,    /* mapped, without an object */
	SLAB_UNMAPPED, /* to be mapped again */
	SLAB_PLACES,
};

struct slab {
	char *slots;         /* while mapped */
	uint32_t generation; /* the highest of its slots that was ever used */
	uint32_t prev, next; /* of its place, or NONE */
	uint32_t free;       /* the slot given back last, or NONE */
	uint16_t made, used; /* slots */
	uint8_t place;       /* enum slab_place */
};

struct pool {
	size_t stride, slab_bytes;
	uint32_t slab_slots;
	uint32_t limit, used;
	uint32_t slab_count;          /* those that were ever mapped */
	uint32_t mapped;              /* those that are now */
	uint32_t empty;               /* in the place of that name */
	uint32_t places[SLAB_PLACES]; /* the first there, or NONE */
	struct slab slabs[];
};

static struct slot *slot_of(const void *object)
{
	return (struct slot *)(void *)((char *)(uintptr_t)object -
				       sizeof(struct slot));
}

static struct slab *slab_of(struct pool *p, uint32_t index)
{
	return &p->slabs[index / p->slab_slots];
}

/* The slab must be mapped. */
static struct slot *slot_at(struct pool *p, uint32_t index)
{
	char *slots = slab_of(p, index)->slots;

	return (struct slot *)(void *)(slots +
				       index % p->slab_slots * p->stride);
}

/* The index of a slab's first slot. */
static uint32_t first_slot(const struct pool *p, const struct slab *s)
{
	return (uint32_t)(s - p->slabs) * p->slab_slots;
}

/* The one setter; full ones are in no list. */
static void slab_set_place(struct pool *p, struct slab *s, uint8_t place)
{
	uint32_t index = (uint32_t)(s - p->slabs);

	p->empty -= s->place == SLAB_EMPTY;
	p->empty += place == SLAB_EMPTY;
	if (s->place != SLAB_FULL) {
		if (s->prev == NONE)
			p->places[s->place] = s->next;
		else
			p->slabs[s->prev].next = s->next;
		if (s->next != NONE)
			p->slabs[s->next].prev = s->prev;
	}
	s->place = place;
	if (place == SLAB_FULL)
		return;
	s->prev = NONE;
	s->next = p->places[place];
	if (s->next != NONE)
		p->slabs[s->next].prev = index;
	p->places[place] = index;
}

struct pool *pool_create(size_t size, uint32_t limit)
{
	size_t stride = sizeof(struct slot) + (size + 15) / 16 * 16;
	uint32_t slots = (uint32_t)(SLAB_BYTES / stride);
	size_t slabs;
	struct pool *p;

	if (slots < SLAB_SLOTS_MIN)
		slots = SLAB_SLOTS_MIN;
	slabs = (limit + slots - 1) / slots;
	p = calloc(1, sizeof(*p) + slabs * sizeof(p->slabs[0]));
	if (!p)
		return NULL;
	p->stride = stride;
	p->slab_slots = slots;
	p->slab_bytes = slots * stride;
	p->limit = limit;
	for (int i = 0; i < SLAB_PLACES; i++)
		p->places[i] = NONE;
	return p;
}

static void unmap(struct pool *p, struct slab *s)
{
	ASAN_UNPOISON_MEMORY_REGION(s->slots, p->slab_bytes);
	munmap(s->slots, p->slab_bytes);
	s->slots = NULL;
	p->mapped--;
	slab_set_place(p, s, SLAB_UNMAPPED);
}

void pool_destroy(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	for (uint32_t i = 0; i < p->slab_count; i++)
		if (p->slabs[i].slots)
			unmap(p, &p->slabs[i]);
	free(p);
}

/* A slab with room, or NULL. */
static struct slab *find_room(struct pool *p)
{
	uint32_t index = p->places[SLAB_ROOMY];
	struct slab *s;
	void *slots;

	if (index == NONE)
		index = p->places[SLAB_EMPTY];
	if (index != NONE)
		return &p->slabs[index];
	index = p->places[SLAB_UNMAPPED];
	if (index == NONE && p->slab_count * p->slab_slots >= p->limit)
		return NULL;
	slots = mmap(NULL, p->slab_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return NULL;
	s = &p->slabs[index == NONE ? p->slab_count++ : index];
	s->slots = slots;
	s->free = NONE;
	s->made = 0;
	p->mapped++;
	slab_set_place(p, s, SLAB_EMPTY);
	return s;
}

/* How many slots the slab may have: the last one ends at the limit. */
static uint32_t slab_room(const struct pool *p, const struct slab *s)
{
	uint32_t left = p->limit - first_slot(p, s);

	return left < p->slab_slots ? left : p->slab_slots;
}

static struct slot *take_slot(struct pool *p, struct slab *s)
{
	struct slot *t;

	if (s->free != NONE) {
		t = slot_at(p, s->free);
		s->free = t->next;
		return t;
	}
	t = slot_at(p, first_slot(p, s) + s->made);
	t->index = first_slot(p, s) + s->made++;
	t->generation = s->generation;
	return t;
}

void *pool_take(struct pool *p)
{
	struct slab *s = find_room(p);
	struct slot *t;

	if (!s)
		return NULL;
	t = take_slot(p, s);
	if (++t->generation == 0)
		t->generation = 1;
	if (t->generation > s->generation)
		s->generation = t->generation;
	t->out = 1;
	p->used++;
	s->used++;
	if (s->used == slab_room(p, s))
		slab_set_place(p, s, SLAB_FULL);
	else if (s->place == SLAB_EMPTY)
		slab_set_place(p, s, SLAB_ROOMY);
	ASAN_UNPOISON_MEMORY_REGION(t + 1, p->stride - sizeof(*t));
	return memset(t + 1, 0, p->stride - sizeof(*t));
}

void pool_give(struct pool *p, void *object)
{
	struct slot *t = slot_of(object);
	struct slab *s = slab_of(p, t->index);

	assert(t->out && slot_at(p, t->index) == t);
	ASAN_POISON_MEMORY_REGION(t + 1, p->stride - sizeof(*t));
	t->out = 0;
	t->next = s->free;
	s->free = t->index;
	p->used--;
	s->used--;
	if (s->used == 0)
		slab_set_place(p, s, SLAB_EMPTY);
	else if (s->place == SLAB_FULL)
		slab_set_place(p, s, SLAB_ROOMY);
	while (p->empty > EMPTY_ALWAYS && p->empty > p->mapped / EMPTY_PART)
		unmap(p, &p->slabs[p->places[SLAB_EMPTY]]);
}

struct handle pool_handle(const void *object)
{
	const struct slot *t = slot_of(object);

	return (struct handle){ t->index, t->generation };
}

void *pool_find(struct pool *p, struct handle h)
{
	struct slab *s;
	struct slot *t;

	if (h.index >= p->slab_count * p->slab_slots)
		return NULL;
	s = slab_of(p, h.index);
	if (!s->slots || h.index % p->slab_slots >= s->made)
		return NULL;
	t = slot_at(p, h.index);
	return t->out && t->generation == h.generation ? t + 1 : NULL;
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
	for (uint32_t i = 0; i < p->slab_count; i++) {
		struct slab *s = &p->slabs[i];

		for (uint32_t j = 0; s->slots && j < s->made; j++) {
			struct slot *t = slot_at(p, i * p->slab_slots + j);

			if (t->out)
				visit(t + 1);
		}
	}
}
