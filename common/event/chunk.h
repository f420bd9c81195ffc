/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A chunk is a buffer with the bytes [from, to) in it. It has one owner at a
 * time, who gives it back once; relayed bytes live in chunks and are never
 * copied between them. Chunks of a worker's pool are of one size and come from
 * slabs that are made on first use; the one given back last is taken first, so
 * that few hold memory, and that is given back when it is not needed. One
 * thread.
 */

#ifndef ADIT_EVENT_CHUNK_H
#define ADIT_EVENT_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct chunk_pool;

/*
 * Bytes before `data` that belong to the chunk: room for a frame's header,
 * while it is sent. `from` may be so far below zero then.
 */
#define CHUNK_HEADROOM 16

struct chunk {
	struct chunk *next; /* for the owner's queue */
	uint8_t *data;
	uint32_t size; /* bytes at data */
	int32_t from;  /* from <= to <= size */
	uint32_t to;
	bool warm;               /* it holds memory, and nobody's bytes */
	struct chunk_pool *pool; /* NULL: from the heap */
};

/*
 * Chunks of `size` bytes, their headroom included: `soft` of them are for
 * everyone, from then on the pool is scarce and a pump keeps at most one;
 * `hard` is the end. NULL without memory.
 */
struct chunk_pool *chunk_pool_create(
	uint32_t size, uint32_t soft, uint32_t hard) must_check;
void chunk_pool_destroy(struct chunk_pool **p);

/*
 * Chunks that hold somebody's bytes, and whether they are more than half of
 * the soft limit. Those lent to the kernel for receives to come do not count.
 */
uint32_t chunk_pool_used(const struct chunk_pool *p);
bool chunk_pool_scarce(const struct chunk_pool *p);

/*
 * Let the system have the memory of chunks that hold nobody's bytes (what is
 * lent stays lent), and how often one was given back so far, modulo 2^32: who
 * trims can see whether they are in use.
 */
void chunk_pool_trim(struct chunk_pool *p);
uint32_t chunk_pool_gives(const struct chunk_pool *p);

/*
 * How many chunks may be lent now: with those in use at most twice the soft
 * limit, though never none, so that nobody starves behind slow readers.
 */
uint32_t chunk_pool_lendable(const struct chunk_pool *p);

/* Chunks of a pool with that soft limit, unless very many streams block. */
static inline uint32_t chunk_pool_usual(uint32_t soft)
{
	return 2 * soft;
}

/* An empty chunk; NULL at the hard limit or without memory. */
struct chunk *chunk_take(struct chunk_pool *p) must_check;

/* The same, lent to the kernel; and one that comes back, perhaps with bytes. */
struct chunk *chunk_lend(struct chunk_pool *p) must_check;
void chunk_claim(struct chunk *c);

/* An empty chunk of its own, for what is rare; NULL without memory. */
struct chunk *chunk_from_heap(uint32_t size) must_check;

/* So many bytes in a chunk of its own; NULL without memory. */
struct chunk *chunk_copy(const uint8_t *bytes, uint32_t size) must_check;

/*
 * What the chunk has from `at` (of its data) on, in a chunk of its own; NULL
 * without memory: nothing has happened.
 */
struct chunk *chunk_split(struct chunk *c, uint32_t at) must_check;

/* Back to where it came from. NULL is accepted. */
void chunk_give(struct chunk *c);

/* The bytes, and how many. */
static inline uint8_t *chunk_bytes(const struct chunk *c)
{
	return c->data + c->from;
}

static inline uint32_t chunk_length(const struct chunk *c)
{
	return c->to - (uint32_t)c->from;
}

/* A first-in first-out queue of chunks; all zero is empty. */
struct chunk_queue {
	struct chunk *head, *tail;
};

void chunk_queue_push(struct chunk_queue *q, struct chunk *c);
void chunk_queue_push_first(struct chunk_queue *q, struct chunk *c);
struct chunk *chunk_queue_pop(struct chunk_queue *q);
void chunk_queue_clear(struct chunk_queue *q);

#endif
