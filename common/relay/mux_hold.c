/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory counts as held, not bytes: a chunk with one byte in it is a whole
 * chunk. So small pieces are put together, and none that fills less than half
 * of its chunk is kept there.
 */

#include <errno.h>
#include <string.h>

#include "common/event/loop.h"
#include "common/relay/mux_internal.h"

/* Of the connection's chunks, for one stream. */
#define CHUNKS_KEPT 4

/* Capacities of chunks from the heap. */
#define PIECE_LEAST 512
#define PIECE_MOST 16384

static struct loop *loop_of(const struct mux_stream *s)
{
	return s->mux->all->loop;
}

/* Which of mux->holders; 0 below 1 KiB. */
static unsigned class_of(uint32_t held)
{
	unsigned c = 0;

	while (c < MUX_CLASSES - 1 && held >= (uint32_t)1024 << c)
		c++;
	return c;
}

/* The stream's memory is now so much. */
static void set_held(struct mux_stream *s, uint32_t held)
{
	struct mux *m = s->mux;
	bool moves =
		list_empty(&s->holder) || class_of(held) != class_of(s->held);

	m->held = m->held - s->held + held;
	s->held = held;
	if (!moves && held > 0)
		return;
	list_remove(&s->holder);
	if (held > 0)
		list_append(&m->holders[class_of(held)], &s->holder);
}

/* Above the bound: who holds most is cut. */
static void keep_bound(struct mux *m)
{
	while (m->held > m->all->held_max) {
		int c = MUX_CLASSES - 1;

		while (list_empty(&m->holders[c]))
			c--;
		count(m->all->loop->counters, mux_overflows);
		mux_stream_cut(container_of(m->holders[c].next,
				       struct mux_stream, holder),
			MUX_OWES_RST, true);
	}
}

static void push(struct mux_stream *s, struct chunk *k)
{
	chunk_queue_push(&s->in, k);
	s->unread += chunk_length(k);
	set_held(s, s->held + k->size);
}

/* Copy n bytes behind those that wait; false without memory. */
static bool append(struct mux_stream *s, const uint8_t *bytes, uint32_t n)
{
	struct chunk *tail = s->in.head ? s->in.tail : NULL;

	if (!tail || tail->size - tail->to < n) {
		uint32_t size = s->unread;

		if (size > PIECE_MOST)
			size = PIECE_MOST;
		if (size < PIECE_LEAST)
			size = PIECE_LEAST;
		tail = chunk_from_heap(size < n ? n : size);
		if (!tail)
			return false;
		memcpy(tail->data, bytes, n);
		tail->to = n;
		push(s, tail);
		return true;
	}
	memcpy(tail->data + tail->to, bytes, n);
	tail->to += n;
	s->unread += n;
	return true;
}

/*
 * Whether the bytes may wait in the chunk that the connection gave. The pool's
 * are for all: a pump, too, keeps only few of them.
 */
static bool stays(const struct mux_stream *s, const struct chunk *k, uint32_t n)
{
	struct loop *l = loop_of(s);

	return k->pool != l->bulk && n >= k->size / 2 &&
	       s->held < CHUNKS_KEPT * k->size && !chunk_pool_scarce(l->chunks);
}

static struct chunk *skip(struct chunk *k, uint32_t n)
{
	k->from += (int32_t)n;
	if (chunk_length(k) > 0)
		return k;
	chunk_give(k);
	return NULL;
}

struct chunk *mux_hold(
	struct mux_stream *s, struct chunk *k, uint32_t n, uint32_t gap)
{
	struct mux *m = s->mux;
	struct chunk *part = stays(s, k, n) ? mux_split(s, &k, n, gap) : NULL;

	if (part) {
		push(s, part);
	} else if (append(s, chunk_bytes(k), n)) {
		k = skip(k, n + gap);
	} else {
		mux_end(m, -ENOMEM, "no memory for what has come", MUX_AT_ONCE);
		return k;
	}
	keep_bound(m);
	return k;
}

struct chunk *mux_release(struct mux_stream *s)
{
	struct chunk *k = chunk_queue_pop(&s->in);

	if (!k)
		return NULL;
	s->unread -= chunk_length(k);
	set_held(s, s->held - k->size);
	return k;
}

void mux_drop(struct mux_stream *s)
{
	chunk_queue_clear(&s->in);
	s->unread = 0;
	set_held(s, 0);
}

/* Of the smallest size that fits. */
static struct chunk *copy(struct loop *l, const uint8_t *bytes, uint32_t n)
{
	struct chunk_pool *const pools[] = { l->chunks, l->sealed, l->bulk };

	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		struct chunk *k = chunk_take(pools[i]);

		if (k && k->size >= n) {
			memcpy(k->data, bytes, n);
			k->to = n;
			return k;
		}
		chunk_give(k);
	}
	return chunk_copy(bytes, n);
}

/* The shorter part is copied. */
struct chunk *mux_split(
	struct mux_stream *s, struct chunk **k_io, uint32_t n, uint32_t gap)
{
	struct chunk *k = *k_io, *other;
	uint32_t rest = chunk_length(k) - n - gap;

	if (rest == 0) {
		k->to -= gap;
		*k_io = NULL;
		return k;
	}
	other = copy(loop_of(s),
		rest < n ? chunk_bytes(k) + n + gap : chunk_bytes(k),
		rest < n ? rest : n);
	if (!other)
		return NULL;
	if (rest < n) {
		k->to -= gap + rest;
		*k_io = other;
		return k;
	}
	k->from += (int32_t)(n + gap);
	return other;
}
