/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames that go. One write at a time: either a batch, which is frames without
 * payload and copies of small ones, or the chunk of one stream with a header
 * before it, as it is.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/event/loop.h"
#include "common/relay/mux_internal.h"

/* When the pool has no chunk for a batch. */
#define BATCH_LEAST 4096

/* Whether there is room for n more bytes in the batch. */
static bool batch_has(struct mux *m, uint32_t n)
{
	if (!m->batch)
		m->batch = chunk_take(m->all->loop->chunks);
	if (!m->batch)
		m->batch = chunk_from_heap(BATCH_LEAST);
	return m->batch && m->batch->size - m->batch->to >= n;
}

/* That room, which is there. */
static uint8_t *batch_room(struct mux *m, uint32_t n)
{
	uint8_t *room = m->batch->data + m->batch->to;

	m->batch->to += n;
	return room;
}

/* The batch that goes now; NULL: there is nothing in it. */
static struct chunk *batch_take(struct mux *m)
{
	struct chunk *b = m->batch;

	m->batch = NULL;
	if (b && b->to == 0) {
		chunk_give(b);
		return NULL;
	}
	return b;
}

void mux_say(struct mux *m, const struct yamux_frame *f)
{
	if (batch_has(m, YAMUX_HEADER))
		yamux_encode(batch_room(m, YAMUX_HEADER), f);
	else
		mux_end(m, -ENOBUFS, "the peer asks more than it reads answers",
			MUX_AT_ONCE);
}

/* A frame without payload; there is room. */
static void put_frame(struct mux_stream *s, unsigned flags, uint32_t length)
{
	struct yamux_frame f = { .type = YAMUX_CREDIT,
		.flags = (uint16_t)flags,
		.id = s->id,
		.length = length };

	yamux_encode(batch_room(s->mux, YAMUX_HEADER), &f);
}

/* The delta that is due; a window grows out of half of what may be held. */
static uint32_t grant(struct mux_stream *s)
{
	struct mux *m = s->mux;
	uint32_t size = s->window.size, max = m->all->window_max;
	uint32_t grown = m->all->held_max / 2, delta;

	grown = grown > m->grown ? grown - m->grown : 0;
	if (max > size && max - size > grown)
		max = size + grown;
	delta = yamux_window_grant(&s->window, s->unread, max);
	m->grown = m->grown - size + s->window.size;
	return delta;
}

/* All that the stream owes: two frames at most. */
static void pay(struct mux_stream *s)
{
	unsigned owed = s->owed, flags = 0;
	uint32_t delta = 0;

	s->owed = 0;
	if (owed & MUX_OWES_RST) {
		put_frame(s, YAMUX_RST, 0);
		return;
	}
	if (owed & MUX_OWES_SYN) {
		flags |= YAMUX_SYN;
		mux_stream_set_state(s, MUX_STREAM_ASKED);
	}
	if (owed & MUX_OWES_ACK) {
		flags |= YAMUX_ACK;
		s->mux->unaccepted--;
	}
	if (owed & MUX_OWES_CREDIT && s->state != MUX_STREAM_OFF &&
		s->in_end == 1)
		delta = grant(s);
	if (flags || delta)
		put_frame(s, flags, delta);
	if (owed & MUX_OWES_FIN)
		put_frame(s, YAMUX_FIN, 0);
}

/* False: the batch is full before all was said. */
static bool pay_all(struct mux *m)
{
	while (!list_empty(&m->owing)) {
		struct mux_stream *s =
			container_of(m->owing.next, struct mux_stream, owes);

		if (!batch_has(m, 2 * YAMUX_HEADER))
			return false;
		list_remove(&s->owes);
		pay(s);
		mux_stream_settle(s);
	}
	return true;
}

/* How many bytes the next frame of a ready stream has. */
static uint32_t next_frame(const struct mux_stream *s)
{
	uint32_t n = chunk_length(s->stream.sending);

	if (n > s->may_send)
		n = s->may_send;
	return n < MUX_FRAME_MAX ? n : MUX_FRAME_MAX;
}

static void put_header(uint8_t *out, struct mux_stream *s, uint32_t n)
{
	struct yamux_frame f = { .type = YAMUX_DATA, .id = s->id, .length = n };

	yamux_encode(out, &f);
	s->may_send -= n;
	s->flying = n;
	list_remove(&s->turn);
}

/* Whether more bytes follow those n of the stream at once. */
static bool is_followed(const struct mux_stream *s, uint32_t n)
{
	return s->stream.more && n == chunk_length(s->stream.sending);
}

/*
 * Copies of the small frames that are ready, as long as there is room. Returns
 * whether more bytes follow at once.
 */
static bool ride(struct mux *m)
{
	bool followed = false;

	while (!list_empty(&m->ready)) {
		struct mux_stream *s =
			container_of(m->ready.next, struct mux_stream, turn);
		uint32_t n = next_frame(s);
		uint8_t *room;

		if (n > MUX_SMALL || !batch_has(m, YAMUX_HEADER + n))
			return true;
		room = batch_room(m, YAMUX_HEADER + n);
		followed |= is_followed(s, n);
		put_header(room, s, n);
		memcpy(room + YAMUX_HEADER, chunk_bytes(s->stream.sending), n);
		list_append(&m->riders, &s->turn);
	}
	return followed;
}

/* The first that is ready sends its own chunk, or a part of it. */
static void fly(struct mux *m)
{
	struct mux_stream *s =
		container_of(m->ready.next, struct mux_stream, turn);
	struct chunk *k = s->stream.sending;
	uint32_t n = next_frame(s);
	bool followed = is_followed(s, n);

	m->flyer = s;
	m->flyer_from = k->from;
	m->flyer_to = k->to;
	k->to = (uint32_t)k->from + n;
	k->from -= YAMUX_HEADER;
	assert(k->from >= -CHUNK_HEADROOM);
	put_header(chunk_bytes(k), s, n);
	stream_write(
		m->below, k, followed || !list_empty(&m->ready), &m->writer);
}

void mux_push(struct mux *m)
{
	struct chunk *b;
	bool more = false;

	if (m->state > MUX_LEAVING || stream_is_writing(m->below))
		return;
	if (pay_all(m) && m->state == MUX_OPEN)
		more = ride(m);
	b = batch_take(m);
	if (b)
		stream_write(m->below, b, more, &m->writer);
	else if (!list_empty(&m->owing))
		mux_end(m, -ENOMEM, "no memory to answer", MUX_AT_ONCE);
	else if (m->state == MUX_LEAVING)
		mux_gone(m, false);
	else if (!list_empty(&m->ready))
		fly(m);
}

/* What becomes of a stream whose n bytes were to go. */
static void flown(struct mux_stream *s, int result)
{
	int n = (int)s->flying;

	s->flying = 0;
	/* It may have been cut meanwhile. */
	if (result == 0 && s->state == MUX_STREAM_OFF)
		result = -ECONNRESET;
	stream_sent(&s->stream, result < 0 ? result : n);
	mux_stream_settle(s);
}

void mux_sent(struct stream_writer *w, struct chunk *k, int result)
{
	struct mux *m = container_of(w, struct mux, writer);
	struct mux_stream *s = m->flyer;
	struct list *rider;

	mux_enter(m);
	if (result < 0)
		mux_lost(m, result);
	m->flyer = NULL;
	if (s) {
		k->from = m->flyer_from;
		k->to = m->flyer_to;
		flown(s, result);
	} else {
		chunk_give(k);
	}
	while ((rider = list_take(&m->riders)))
		flown(container_of(rider, struct mux_stream, turn), result);
	if (m->state == MUX_CUT)
		mux_gone(m, true);
	mux_leave(m);
}
