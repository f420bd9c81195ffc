/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Copying: receive into a leased chunk, send that chunk. Splicing: wait until
 * the source is readable, move what is there into a pipe, and from the pipe
 * into the sink at once. Under a throttle a chunk is sent piece by piece, and
 * no more is moved into a pipe than may go.
 */

#include "common/relay/pump.h"

#include <assert.h>
#include <errno.h>

#include "common/base/socket.h"
#include "common/event/loop.h"

static void pump_turn(struct pump *p);

static void pump_set_state(struct pump *p, enum pump_state state)
{
	assert(state != PUMP_FLUSHING || p->state == PUMP_RUNNING);
	p->state = state;
}

/* Read no more; what is queued still goes out. */
static void pump_flush(struct pump *p, enum pump_end end)
{
	pump_set_state(p, PUMP_FLUSHING);
	p->end = end;
}

static void pump_leave(struct pump *p)
{
	if (p->source->reader == &p->reader)
		stream_leave_reading(p->source);
	p->source->gulp = STREAM_CHUNK;
	if (p->sink->writer == &p->writer)
		stream_leave_writing(p->sink);
	chunk_queue_clear(&p->queue);
	p->queued = 0;
	pipe_give(p->pipe);
	p->pipe = NULL;
	loop_cancel_timer(p->source->loop, &p->timer);
	p->waits = false;
	turn_leave(&p->turn);
	p->granted = p->rest = 0;
	pump_set_state(p, PUMP_IDLE);
}

static void pump_finish(struct pump *p, enum pump_end end)
{
	pump_leave(p);
	p->ended(p, end);
}

/* Let the inspector decide about the chunk; false: the pump fails at once. */
static bool inspect(struct pump *p, struct chunk **c_io)
{
	struct chunk *rest;

	switch (inspector_look(&p->inspector, &p->opaque, c_io, &rest)) {
	case INSPECTED_OPEN:
		return true;
	case INSPECTED_END:
		if (rest)
			stream_unread(p->source, rest);
		pump_flush(p, PUMP_INSPECTED);
		return true;
	case INSPECTED_BAD:
		break;
	}
	return false;
}

/*
 * Take over a chunk from the source, as far as limit and inspector allow; false
 * when the pump must fail at once.
 */
static bool pump_accept(struct pump *p, struct chunk *c)
{
	if (chunk_length(c) > p->limit) {
		struct chunk *rest =
			chunk_split(c, c->from + (uint32_t)p->limit);

		if (!rest) {
			chunk_give(c);
			return false;
		}
		stream_unread(p->source, rest);
	}
	if (p->limit != PUMP_UNLIMITED)
		p->limit -= chunk_length(c);
	if (p->inspector && !inspect(p, &c)) {
		chunk_give(c);
		return false;
	}
	p->bytes += chunk_length(c);
	p->counters->value[p->counter] += chunk_length(c);
	count_add(p->counters, bytes_copied, chunk_length(c));
	if (chunk_length(c) == 0) {
		chunk_give(c);
		return true;
	}
	p->gulps = c->pool == p->source->loop->bulk;
	chunk_queue_push(&p->queue, c);
	p->queued++;
	return true;
}

/* --- throttles --- */

static bool is_limited(const struct pump *p)
{
	return turn_is_throttled(&p->turn) && turn_rate(&p->turn) < INT64_MAX;
}

/* A reset would be heard by who reads, behind all that came before it. */
static bool source_was_reset(struct pump *p)
{
	int64_t now = p->source->loop->now;

	if (p->state != PUMP_RUNNING || now - p->looked < THROTTLE_LOOK)
		return false;
	p->looked = now;
	return socket_is_reset(stream_descriptor(p->source));
}

static void turn_comes(struct timer *t)
{
	struct pump *p = container_of(t, struct pump, timer);

	p->waits = false;
	if (source_was_reset(p))
		pump_finish(p, PUMP_SOURCE_FAILED);
	else
		pump_turn(p);
}

/* How many of so many bytes may go now; 0: the timer brings their turn. */
static uint32_t take_turn(struct pump *p, uint32_t want)
{
	struct loop *l = p->source->loop;
	uint32_t n;

	if (!turn_is_throttled(&p->turn))
		return want;
	if (p->waits)
		return 0;
	n = turn_take(&p->turn, want, l->now);
	p->waits = n == 0;
	if (p->waits)
		loop_set_timer(
			l, &p->timer, turn_wait(&p->turn, l->now), turn_comes);
	return n;
}

/* The same of a chunk, which may have come out of a pipe: that was its turn. */
static uint32_t take_turn_of(struct pump *p, const struct chunk *c)
{
	uint32_t n = chunk_length(c);

	if (p->granted < n)
		return take_turn(p, n);
	p->granted -= n;
	return n;
}

/*
 * How much a read may bring. A large chunk is one of few, and not to be held
 * while its pieces wait.
 */
static void choose_gulp(struct pump *p)
{
	bool pipes = stream_can_splice(p->source) && stream_can_splice(p->sink);
	bool slow = turn_is_throttled(&p->turn) &&
		    turn_rate(&p->turn) < (int64_t)LOOP_BULK * THROTTLE_PIECES;

	p->source->gulp = pipes || slow ? STREAM_CHUNK : STREAM_BULK;
}

/* --- splicing --- */

/* How many of the bytes to come may go through a pipe. */
static uint64_t may_splice(const struct pump *p)
{
	uint64_t n = p->inspector ? p->opaque : PUMP_UNLIMITED;

	if (!stream_can_splice(p->source) || !stream_can_splice(p->sink))
		return 0;
	return p->limit < n ? p->limit : n;
}

/* Bytes have come: which engine takes the next ones. */
static void choose_engine(struct pump *p, uint64_t bytes, bool filled)
{
	uint64_t may = may_splice(p);
	struct engine_wake wake = { .bytes = bytes,
		.known = may == PUMP_UNLIMITED ? 0 : may,
		.filled = filled,
		.backlog = p->source->backlog };

	p->engine = engine_next(p->engine, &wake);
}

static bool is_splicing(const struct pump *p)
{
	return p->engine.kind == ENGINE_SPLICE && may_splice(p) > 0;
}

/* The source has bytes, and none of them are queued here. */
static void pump_splice(struct pump *p)
{
	struct pipe_pool *pipes = p->source->loop->pipes;
	uint64_t most = may_splice(p);
	struct pipe *pipe;
	uint32_t max;
	ssize_t n;

	if (most > pipe_pool_size(pipes))
		most = pipe_pool_size(pipes);
	max = take_turn(p, (uint32_t)most);
	if (max == 0)
		return;
	pipe = pipe_take(pipes);
	if (!pipe) {
		/* One burst is copied; the next may find a pipe. */
		turn_give(&p->turn, max);
		stream_read(p->source, &p->reader);
		return;
	}
	n = stream_splice_in(p->source, pipe, max);
	if (n < (ssize_t)max)
		turn_give(&p->turn, max - (n > 0 ? (uint32_t)n : 0));
	if (n <= 0) {
		pipe_give(pipe);
		if (n != -EAGAIN)
			pump_flush(p, n == 0 ? PUMP_EOF : PUMP_SOURCE_FAILED);
		return;
	}
	p->pipe = pipe;
	if (p->limit != PUMP_UNLIMITED)
		p->limit -= (uint64_t)n;
	if (p->inspector)
		p->opaque -= (uint64_t)n;
	p->bytes += (uint64_t)n;
	p->counters->value[p->counter] += (uint64_t)n;
	count_add(p->counters, bytes_spliced, (uint64_t)n);
	choose_engine(p, (uint64_t)n, false);
}

/* The sink is slow: what is in the pipe waits in chunks, if there are any. */
static void pump_spill(struct pipe *pipe)
{
	struct pump *p = pipe->holder;
	struct chunk_pool *chunks = p->source->loop->chunks;

	while (pipe->bytes > 0 && !chunk_pool_scarce(chunks)) {
		struct chunk *c = chunk_take(chunks);

		if (!c || pipe_spill(pipe, c) == 0) {
			chunk_give(c);
			return;
		}
		p->granted += chunk_length(c);
		chunk_queue_push(&p->queue, c);
		p->queued++;
	}
	if (pipe->bytes > 0)
		return;
	pipe_give(pipe);
	p->pipe = NULL;
}

/* From the pipe into the sink; false when the pump has ended. */
static bool pump_drain(struct pump *p)
{
	ssize_t n = stream_splice_out(p->sink, p->pipe);

	if (n < 0 && n != -EAGAIN) {
		pump_finish(p, PUMP_SINK_FAILED);
		return false;
	}
	if (p->pipe->bytes > 0) {
		pipe_hold(p->pipe, pump_spill, p);
		stream_await_room(p->sink, &p->writer);
		return true;
	}
	pipe_give(p->pipe);
	p->pipe = NULL;
	return true;
}

static void pump_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct pump *p = container_of(r, struct pump, reader);
	bool filled = c && c->to == c->size;

	if (c && !pump_accept(p, c)) {
		pump_finish(p, PUMP_BAD);
		return;
	}
	if (c)
		choose_engine(p, (uint64_t)result, filled);
	else if (result > 0)
		pump_splice(p);
	else if (result == 0)
		pump_flush(p, PUMP_EOF);
	else
		pump_flush(p, PUMP_SOURCE_FAILED);
	pump_turn(p);
}

static void pump_sent(struct stream_writer *w, struct chunk *c, int result)
{
	struct pump *p = container_of(w, struct pump, writer);

	if (result == 0 && p->rest > 0) {
		c->to += p->rest;
		p->rest = 0;
		chunk_queue_push_first(&p->queue, c);
		p->queued++;
	} else {
		chunk_give(c);
	}
	if (result < 0)
		pump_finish(p, PUMP_SINK_FAILED);
	else
		pump_turn(p);
}

static bool may_read(const struct pump *p)
{
	if (p->state != PUMP_RUNNING || p->source->reader == &p->reader ||
		p->pipe || p->waits)
		return false;
	if (p->queued == 0 && !stream_is_writing(p->sink))
		return true;
	return p->queued < PUMP_MARK && !is_splicing(p) && !p->gulps &&
	       !chunk_pool_scarce(p->source->loop->chunks) && !is_limited(p);
}

/* Read what may be read; false when the pump has ended. */
static bool pump_read(struct pump *p)
{
	struct chunk *c;

	while (may_read(p)) {
		int n;

		if (p->limit == 0) {
			pump_flush(p, PUMP_LIMIT);
			break;
		}
		n = stream_take(p->source, &c);
		if (n == -EAGAIN) {
			choose_gulp(p);
			if (is_splicing(p))
				stream_await(p->source, &p->reader);
			else
				stream_read(p->source, &p->reader);
			break;
		}
		if (n > 0 && !pump_accept(p, c)) {
			pump_finish(p, PUMP_BAD);
			return false;
		}
		if (n <= 0)
			pump_flush(p, n == 0 ? PUMP_EOF : PUMP_SOURCE_FAILED);
	}
	return true;
}

/*
 * The sink's end follows these bytes at once: with them it is one segment. The
 * source's end is none of ours where there is a limit.
 */
static bool is_last(const struct pump *p)
{
	if (!p->finishes || p->queue.head || p->rest > 0 || p->inspector)
		return false;
	if (p->limit != PUMP_UNLIMITED)
		return p->limit == 0;
	return p->source->ending && !p->source->unread.head;
}

/* Write what may be written; false when the pump has ended. */
static bool pump_write(struct pump *p)
{
	struct chunk *c = p->queue.head;
	uint32_t n;

	if (stream_is_writing(p->sink))
		return true;
	if (!c)
		return !p->pipe || pump_drain(p);
	n = take_turn_of(p, c);
	if (n == 0)
		return true;
	chunk_queue_pop(&p->queue);
	p->queued--;
	p->rest = chunk_length(c) - n;
	c->to -= p->rest;
	stream_write(p->sink, c, is_last(p), &p->writer);
	return true;
}

/* --- a sink that takes nothing --- */

/* Nobody would hear of a reset; after an end there is none to hear of. */
static bool is_deaf(const struct pump *p)
{
	return p->heeds_reset && p->state != PUMP_IDLE &&
	       p->source->reader != &p->reader && stream_is_writing(p->sink) &&
	       p->source->read_end != 0;
}

/* While bytes pass the reset is read in its turn, behind them. */
static void look(struct timer *t)
{
	struct pump *p = container_of(t, struct pump, timer);
	bool moved = p->seen != (uint32_t)p->bytes;

	p->seen = (uint32_t)p->bytes;
	if (!moved && is_deaf(p) && stream_is_reset(p->source))
		pump_finish(p, PUMP_SOURCE_FAILED);
	else
		pump_turn(p);
}

/* Do what can be done now; called whenever something has changed. */
static void pump_turn(struct pump *p)
{
	if (!pump_write(p) || !pump_read(p) || !pump_write(p))
		return;
	if (pump_is_out(p) && !stream_is_writing(p->sink))
		pump_finish(p, p->end);
	else if (is_deaf(p) && !timer_is_set(&p->timer))
		loop_set_timer(p->source->loop, &p->timer, PUMP_LOOK, look);
}

void pump_init(struct pump *p, const struct pump_params *params)
{
	assert(p->state == PUMP_IDLE);
	*p = (struct pump){
		.source = params->source,
		.sink = params->sink,
		.reader = { pump_received },
		.writer = { pump_sent },
		.inspector = params->inspector,
		.limit = params->limit,
		.counters = params->counters,
		.counter = (uint8_t)params->counter,
		.finishes = params->finishes,
		.heeds_reset = params->heeds_reset,
		.engine = engine_start(params->mode),
		.ended = params->ended,
	};
	turn_init(&p->turn, &params->throttles);
}

void pump_push(struct pump *p, struct chunk *c)
{
	assert(p->state == PUMP_IDLE);
	chunk_queue_push(&p->queue, c);
	p->queued++;
}

void pump_start(struct pump *p)
{
	pump_set_state(p, PUMP_RUNNING);
	p->source->steady = true;
	choose_gulp(p);
	/* Of a limit it is known at once whether bulk is to come. */
	choose_engine(p, 0, false);
	pump_turn(p);
}

bool pump_is_idle(const struct pump *p)
{
	return p->state == PUMP_RUNNING && !p->queue.head && !p->pipe &&
	       p->source->reader == &p->reader && !stream_is_writing(p->sink) &&
	       p->limit == PUMP_UNLIMITED && !p->inspector;
}

bool pump_is_out(const struct pump *p)
{
	return p->state == PUMP_FLUSHING && !p->queue.head && !p->pipe &&
	       p->rest == 0;
}

void pump_stop(struct pump *p)
{
	if (p->state != PUMP_IDLE || p->queue.head || p->pipe)
		pump_leave(p);
}
