/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The owner is called last in whatever the loop calls here: it may close the
 * layer in that, which may be gone then. Where two things are to be told, the
 * second waits for the next turn.
 */

#include "common/relay/layer.h"

#include <assert.h>
#include <errno.h>

#include "common/event/loop.h"

/* What is more than this goes in chunks of loop->bulk. */
#define LAYER_PIECE 16384

static const struct stream_ops layer_ops;

bool layer_is(const struct stream *s)
{
	return s->ops == &layer_ops;
}

struct stream *layer_below(const struct stream *s)
{
	return layer_of(s)->below;
}

struct transform *layer_transform(const struct stream *s)
{
	return layer_of(s)->transform;
}

static void layer_settle(struct layer *l);
static void layer_turn(struct layer *l);

static void layer_fire(struct timer *t)
{
	layer_turn(container_of(t, struct layer, timer));
}

/* From the loop, soon. */
static void layer_call(struct layer *l, int64_t delay)
{
	if (!l->stream.closing)
		loop_set_timer(l->stream.loop, &l->timer, delay, layer_fire);
}

/* Neither direction can go on. */
static void layer_fail(struct layer *l, int why)
{
	if (l->read_end == 1)
		l->read_end = why;
	if (l->write_error == 0)
		l->write_error = why;
	layer_call(l, 0);
}

/* Whether below is to be read for the handshake's sake. */
static bool layer_shakes(const struct layer *l)
{
	return l->transform->shaking && l->read_end == 1 && !l->stream.closing;
}

/* --- out --- */

/* A large chunk for so many bytes, if they need one and there is one. */
static struct chunk *take_bulk(struct layer *l, uint32_t n)
{
	return n > LAYER_PIECE ? chunk_take(l->stream.loop->bulk) : NULL;
}

/* Room for n bytes, sealed, or for what a chunk of the pools holds of them. */
static struct chunk *take_sealed(struct layer *l, uint32_t n)
{
	struct chunk *k = take_bulk(l, n);

	if (!k)
		k = chunk_take(l->stream.loop->sealed);
	n = n > LAYER_PIECE ? LAYER_PIECE : n;
	return k ? k : chunk_from_heap(n + l->transform->overhead);
}

/*
 * Seal own words and, with `data`, what fits of the stream's chunk; true when
 * something goes out now.
 */
static bool layer_seal(struct layer *l, bool data)
{
	struct stream *s = &l->stream;
	struct transform *t = l->transform;
	uint32_t left = data ? chunk_length(s->sending) : 0;
	struct chunk *k = take_sealed(l, left);
	size_t n = left;
	ssize_t size;

	if (!k) {
		l->mute = s->closing;
		layer_call(l, LAYER_RETRY);
		return false;
	}
	size = t->ops->seal(
		t, data ? chunk_bytes(s->sending) : NULL, &n, k->data, k->size);
	if (size < 0) {
		l->failed = true;
		layer_fail(l, (int)size);
	}
	if (size <= 0) {
		chunk_give(k);
		return false;
	}
	k->to = (uint32_t)size;
	l->taken = (uint32_t)n;
	if (n > 0)
		l->waits = false;
	stream_write(l->below, k, t->has_words || n < left || (data && s->more),
		&l->writer);
	return true;
}

/* Hand below what goes out next. */
static void layer_push(struct layer *l)
{
	struct transform *t = l->transform;
	bool data = l->waits && l->write_error == 0 && !t->shaking;
	int rc;

	if (stream_is_writing(l->below) || l->below->finished || l->mute)
		return;
	if (l->end == LAYER_ASKED && !t->shaking) {
		l->end = LAYER_TOLD;
		if (t->ops->finish)
			t->ops->finish(t);
	}
	if ((data || t->has_words) && layer_seal(l, data))
		return;
	if (l->end != LAYER_TOLD || t->has_words || l->mute)
		return;
	rc = stream_finish(l->below);
	if (rc < 0)
		l->write_error = rc;
}

static void layer_sent(struct stream_writer *w, struct chunk *k, int result)
{
	struct layer *l = container_of(w, struct layer, writer);
	uint32_t taken = l->taken;

	chunk_give(k);
	l->taken = 0;
	if (result < 0) {
		l->mute = true;
		if (l->write_error == 0)
			l->write_error = result;
		if (l->transform->shaking)
			layer_fail(l, result);
	}
	if (l->stream.closing) {
		layer_settle(l);
		return;
	}
	if (taken == 0) {
		layer_turn(l);
		return;
	}
	layer_push(l);
	stream_sent(&l->stream, result < 0 ? result : (int)taken);
}

static void layer_write(
	struct stream *s, const void *data, uint32_t n, bool more)
{
	struct layer *l = layer_of(s);

	(void)data;
	(void)n;
	(void)more;
	l->waits = true;
	layer_push(l);
	if (l->waits && l->write_error < 0)
		layer_call(l, 0);
}

/* There is room when the handshake is over. */
static void layer_await_room(struct stream *s)
{
	struct layer *l = layer_of(s);

	if (!l->transform->shaking || l->write_error < 0)
		layer_call(l, 0);
}

static int layer_finish(struct stream *s)
{
	struct layer *l = layer_of(s);

	if (l->write_error < 0)
		return -EPIPE;
	l->end = LAYER_ASKED;
	layer_push(l);
	return l->write_error < 0 ? -EPIPE : 0;
}

/* --- in --- */

/* Nothing more comes; after a cut, or in a handshake, nothing goes, either. */
static int layer_end_reading(struct layer *l, int result)
{
	if (result == 0 && l->transform->shaking)
		result = -ECONNRESET;
	l->read_end = result;
	if (l->transform->shaking || result < 0)
		layer_fail(l, result);
	return result;
}

/* 1: there is something to open; else -EAGAIN, or how reading has ended. */
static int layer_refill(struct layer *l)
{
	struct transform *t = l->transform;
	int n;

	if (l->read_end != 1 || l->more || l->opening)
		return l->read_end;
	if (t->ended)
		return layer_end_reading(l, 0);
	/* What was asked for comes as it was; to take it now were twice. */
	if (l->below->reader == &l->reader)
		return -EAGAIN;
	n = stream_take(l->below, &l->opening);
	if (n > 0)
		return 1;
	if (n == -EAGAIN)
		return n;
	return layer_end_reading(l, n == 0 ? t->ops->below_ended(t) : n);
}

/* Open what fits into the chunk. */
static void layer_open_into(struct layer *l, struct chunk *out)
{
	struct transform *t = l->transform;
	struct chunk *k = l->opening;
	uint32_t room = out->size - out->to;
	size_t n = k ? chunk_length(k) : 0;
	bool shaking = t->shaking;
	ssize_t size = t->ops->open(
		t, k ? chunk_bytes(k) : NULL, &n, out->data + out->to, room);

	if (size < 0) {
		/* Who made the layer counts handshakes. */
		if (!shaking)
			count(l->stream.loop->counters, layers_broken);
		l->failed = true;
		l->more = false;
		layer_fail(l, (int)size);
	} else {
		out->to += (uint32_t)size;
		l->more = (uint32_t)size == room;
	}
	if (!k)
		return;
	k->from += (int32_t)n;
	if (l->more && chunk_length(k) > 0)
		return;
	assert(size < 0 || t->ended || chunk_length(k) == 0);
	l->opening = NULL;
	chunk_give(k);
}

/* As stream_take; -EAGAIN with `starved` set: there was no chunk. */
static int layer_take(struct layer *l, struct chunk **c_r)
{
	struct chunk *out = NULL;
	int n = layer_refill(l);

	*c_r = NULL;
	l->starved = false;
	if (n != 1)
		return n;
	if (l->stream.gulp != STREAM_CHUNK && l->opening)
		out = take_bulk(l, chunk_length(l->opening));
	if (!out)
		out = chunk_take(l->stream.loop->chunks);
	if (!out) {
		l->starved = true;
		layer_call(l, LAYER_RETRY);
		return -EAGAIN;
	}
	do
		layer_open_into(l, out);
	while (out->to < out->size && (n = layer_refill(l)) == 1);
	if (out->to == 0) {
		chunk_give(out);
		return n;
	}
	l->stream.ending = n == 0;
	*c_r = out;
	return (int)out->to;
}

static void layer_read_below(struct layer *l)
{
	l->below->steady = l->stream.steady;
	l->below->gulp =
		l->stream.gulp == STREAM_CHUNK ? STREAM_CHUNK : STREAM_SEALED;
	stream_read(l->below, &l->reader);
}

/* The same; what is to be said for it is, and where nothing has come, below is
 * read if somebody waits. */
static int layer_advance(struct layer *l, struct chunk **c_r)
{
	int n = layer_take(l, c_r);

	layer_push(l);
	if (l->stream.awaits_room && !l->transform->shaking)
		layer_call(l, 0);
	if (n == -EAGAIN && !l->starved && l->read_end == 1 &&
		(l->stream.reading || layer_shakes(l)))
		layer_read_below(l);
	return n;
}

static void layer_fetch(struct stream *s)
{
	struct layer *l = layer_of(s);
	struct chunk *c;
	int n;

	do {
		n = layer_advance(l, &c);
		if (n > 0)
			chunk_queue_push(&s->unread, c);
		else if (n != -EAGAIN)
			s->read_end = n;
	} while (n > 0 && layer_shakes(l));
	/* Who asked and left has got it so; the ask goes on. */
	if (n != -EAGAIN && s->reading)
		layer_call(l, 0);
}

/* Do what can be done now; from the loop, and nothing after it. */
static void layer_turn(struct layer *l)
{
	struct stream *s = &l->stream;
	struct chunk *c;
	int n;

	layer_push(l);
	if (s->awaits_room && (!l->transform->shaking || l->write_error < 0)) {
		layer_call(l, 0);
		stream_room(s, l->write_error);
	} else if (l->waits && l->write_error < 0) {
		if (s->reading)
			layer_call(l, 0);
		l->waits = false;
		stream_sent(s, l->write_error);
	} else if (s->reading) {
		n = layer_advance(l, &c);
		if (n != -EAGAIN)
			stream_received(s, c, n);
	} else if (layer_shakes(l)) {
		layer_fetch(s);
	}
}

static void layer_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct layer *l = container_of(r, struct layer, reader);

	(void)result; /* an end is found there again */
	assert(!l->opening);
	l->opening = c;
	l->stream.backlog = l->below->backlog;
	layer_turn(l);
}

static void layer_read(struct stream *s)
{
	struct layer *l = layer_of(s);

	if (l->starved)
		layer_call(l, LAYER_RETRY);
	else if (l->opening || l->more || l->read_end != 1 ||
		 l->transform->ended || l->below->unread.head ||
		 l->below->read_end != 1)
		layer_call(l, 0);
	else
		layer_read_below(l);
}

/* --- the end --- */

static void layer_free(struct layer *l, bool cut)
{
	loop_cancel_timer(l->stream.loop, &l->timer);
	stream_close(&l->below, cut);
	transform_free(&l->transform);
	pool_give(l->home, l);
}

/* Closed: go as soon as all was said, or nothing more can be. */
static void layer_settle(struct layer *l)
{
	bool words;

	layer_push(l);
	words = l->transform->has_words && !l->below->finished;
	if (!stream_is_writing(l->below))
		layer_free(l, l->mute || words);
}

static void patience_ends(struct timer *t)
{
	layer_free(container_of(t, struct layer, timer), true);
}

static void layer_close(struct stream *s, bool cut)
{
	struct layer *l = layer_of(s);
	struct transform *t = l->transform;
	bool words = t->has_words || stream_is_writing(l->below);

	/* What was sealed of it is a chunk of its own. */
	chunk_give(s->sending);
	s->sending = NULL;
	l->waits = false;
	chunk_give(l->opening);
	l->opening = NULL;
	stream_leave_reading(l->below);
	if (l->mute || (cut && !(l->failed && words))) {
		layer_free(l, cut || l->mute);
		return;
	}
	if (l->end == LAYER_OPEN && l->write_error == 0 && !t->shaking)
		l->end = LAYER_ASKED;
	loop_set_timer(s->loop, &l->timer, LAYER_PATIENCE, patience_ends);
	layer_settle(l);
}

static int layer_descriptor(const struct stream *s)
{
	return stream_descriptor(layer_of(s)->below);
}

static const struct stream_ops layer_ops = {
	.read = layer_read,
	.fetch = layer_fetch,
	.write = layer_write,
	.await_room = layer_await_room,
	.finish = layer_finish,
	.close = layer_close,
	.descriptor = layer_descriptor,
	.trouble = layer_trouble,
	.is_reset = layer_is_reset,
};

struct stream *layer_open(
	struct pool *home, struct stream *below, struct transform *t)
{
	struct layer *l = t ? pool_take(home) : NULL;

	assert(!below->reader && !stream_is_writing(below));
	if (!l) {
		transform_free(&t);
		stream_close(&below, true);
		return NULL;
	}
	l->home = home;
	l->below = below;
	l->transform = t;
	l->read_end = 1;
	l->reader.received = layer_received;
	l->writer.sent = layer_sent;
	stream_init(&l->stream, below->loop, &layer_ops);
	layer_push(l);
	if (layer_shakes(l))
		layer_fetch(&l->stream);
	return &l->stream;
}

static void cut_closing(void *object)
{
	struct layer *l = object;

	if (l->stream.closing)
		layer_free(l, true);
}

void layers_cut(struct pool *home)
{
	pool_each(home, cut_closing);
}
