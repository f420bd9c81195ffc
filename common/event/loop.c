/* SPDX-License-Identifier: Apache-2.0 */

/* States of operations, and the turn. */

#include "common/event/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/heap.h"
#include "common/event/backend.h"
#include "common/event/pipe.h"

/* How often what has ended at once may begin something that does, a turn. */
#define ENDED_ROUNDS 8

/* Chunks are in use if so many were given back in this time. */
#define TRIM_TIME CLOCK_SECOND
#define TRIM_BUSY 64

/* What timers go by. */
static int64_t now(const struct loop *l)
{
	return l->backend->now ? l->backend->now(l) : clock_now();
}

int loop_create(struct loop **l_r, const struct backend *backend,
	const struct loop_params *params)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	if (!l)
		goto err0;
	l->backend = backend;
	l->counters = params->counters;
	l->chunks = chunk_pool_create(
		params->chunk_size, params->chunks_soft, params->chunks_hard);
	if (!l->chunks)
		goto err1;
	l->sealed = chunk_pool_create(params->chunk_size + LOOP_SEAL,
		params->chunks_soft, params->chunks_hard);
	if (!l->sealed)
		goto err2;
	l->bulk = chunk_pool_create(
		LOOP_BULK + LOOP_SEAL, LOOP_BULK_CHUNKS, LOOP_BULK_CHUNKS);
	if (!l->bulk)
		goto err3;
	l->pipes = pipe_pool_create(l, params->pipes, params->pipe_size);
	if (!l->pipes)
		goto err4;
	rc = backend->create(l, params);
	if (rc < 0)
		goto err5;
	l->now = now(l);
	*l_r = l;
	return 0;
err5:
	pipe_pool_destroy(&l->pipes);
err4:
	chunk_pool_destroy(&l->bulk);
err3:
	chunk_pool_destroy(&l->sealed);
err2:
	chunk_pool_destroy(&l->chunks);
err1:
	free(l);
err0:
	return rc;
}

void loop_destroy(struct loop **lp)
{
	struct loop *l = *lp;

	if (!l)
		return;
	*lp = NULL;
	assert(l->in_flight == 0);
	l->backend->destroy(l);
	pipe_pool_destroy(&l->pipes);
	chunk_pool_destroy(&l->bulk);
	chunk_pool_destroy(&l->sealed);
	chunk_pool_destroy(&l->chunks);
	free(l);
}

int loop_enter(struct loop *l)
{
	return l->backend->enter(l);
}

static void op_set_state(struct loop *l, struct op *op, enum op_state state)
{
	switch (state) {
	case OP_FLYING:
		assert(op->state == OP_IDLE);
		l->in_flight++;
		break;
	case OP_CANCELLED:
		assert(op->state == OP_FLYING);
		break;
	case OP_IDLE:
		assert(op->state != OP_IDLE);
		l->in_flight--;
		break;
	}
	op->state = state;
}

static void op_start(struct loop *l, struct op *op, enum op_kind kind,
	op_fn *done, const struct op_args *args)
{
	op_set_state(l, op, OP_FLYING);
	op->kind = kind;
	op->done = done;
	op->chunk = NULL;
	l->backend->start(l, op, args);
}

void op_accept(struct loop *l, struct op *op, int fd, op_fn *done)
{
	op_start(l, op, OP_ACCEPT, done, &(struct op_args){ .fd = fd });
}

void op_recv(struct loop *l, struct op *op, int fd, op_fn *done)
{
	op_start(l, op, OP_RECV, done, &(struct op_args){ .fd = fd });
}

void op_recv_many(struct loop *l, struct op *op, int fd, op_fn *done)
{
	struct op_args args = { .fd = fd, .more = true };

	op_start(l, op, OP_RECV, done, &args);
}

void op_send(struct loop *l, struct op *op, int fd, const void *data,
	uint32_t size, bool more, op_fn *done)
{
	struct op_args args = {
		.fd = fd, .data = data, .size = size, .more = more
	};

	assert(size > 0);
	op_start(l, op, OP_SEND, done, &args);
}

void op_poll(
	struct loop *l, struct op *op, int fd, uint32_t events, op_fn *done)
{
	struct op_args args = { .fd = fd, .events = events };

	op_start(l, op, OP_POLL, done, &args);
}

void op_cancel(struct loop *l, struct op *op)
{
	if (op->state != OP_FLYING)
		return;
	op_set_state(l, op, OP_CANCELLED);
	l->backend->cancel(l, op);
}

void op_move(struct loop *l, struct op *from, struct op *to, op_fn *done)
{
	assert(to->state == OP_IDLE);
	if (from->state == OP_IDLE)
		return;
	assert(from->kind == OP_RECV || from->kind == OP_POLL);
	*to = *from;
	to->done = done;
	from->state = OP_IDLE;
	l->backend->move(l, from, to);
	for (int i = l->batch_next; i < l->batch_end; i++)
		if (l->batch[i].op == from)
			l->batch[i].op = to;
}

/* Whether the same operation's next completion, in hand, is an end. */
static bool is_ending(const struct completion *c, const struct completion *end)
{
	const struct completion *next = c + 1;

	return next < end && next->op == c->op && next->result == 0;
}

/* Tell of the first n completions. */
static void run_batch(struct loop *l, int n)
{
	count_add(l->counters, completions, (uint64_t)n);
	l->batch_next = 0;
	l->batch_end = n;
	while (l->batch_next < n) {
		struct completion *c = &l->batch[l->batch_next++];

		if (c->last)
			op_set_state(l, c->op, OP_IDLE);
		c->op->chunk = c->chunk;
		c->op->drained = c->drained;
		c->op->ending = is_ending(c, l->batch + n);
		c->op->done(c->op, c->result);
	}
}

/* How many chunks of any size came back, modulo 2^32. */
static uint32_t loop_gives(const struct loop *l)
{
	return chunk_pool_gives(l->chunks) + chunk_pool_gives(l->sealed) +
	       chunk_pool_gives(l->bulk);
}

static bool is_behind(const struct loop *l)
{
	return l->backend->is_behind && l->backend->is_behind(l);
}

/* Memory of a burst goes back, and buffers hold none while little passes. */
static void trim(struct timer *t)
{
	struct loop *l = container_of(t, struct loop, trim);
	uint32_t gives = loop_gives(l);

	if (gives - l->gives < TRIM_BUSY && !is_behind(l)) {
		chunk_pool_trim(l->chunks);
		chunk_pool_trim(l->sealed);
		chunk_pool_trim(l->bulk);
		if (l->busy)
			heap_trim();
		l->busy = false;
	} else {
		loop_set_timer(l, t, TRIM_TIME, trim);
		l->busy = true;
	}
	l->gives = gives;
}

/* Tell of what has ended inside its start, and may begin more of it. */
static void run_ended(struct loop *l)
{
	for (int i = 0; i < ENDED_ROUNDS && l->ended_count > 0; i++) {
		int n = l->ended_count;

		memcpy(l->batch, l->ended, (size_t)n * sizeof(l->ended[0]));
		l->ended_count = 0;
		run_batch(l, n);
	}
}

/* How long nothing has to be done by itself. */
static int64_t time_left(const struct loop *l)
{
	int64_t due = timers_next(&l->timers), left;

	if (l->ended_count > 0)
		return 0;
	if (due == INT64_MAX)
		return INT64_MAX;
	left = due - now(l);
	return left > 0 ? left : 0;
}

void loop_turn(struct loop *l)
{
	int n = l->backend->wait(l, time_left(l));

	l->now = now(l);
	run_batch(l, n);
	timers_run(&l->timers, l->now);
	run_ended(l);
	if (loop_gives(l) != l->gives && !timer_is_set(&l->trim))
		loop_set_timer(l, &l->trim, TRIM_TIME, trim);
}

void loop_close(struct loop *l, int fd)
{
	if (l->backend->forget)
		l->backend->forget(l, fd, false);
	close(fd);
}

void loop_forget(struct loop *l, int fd)
{
	if (l->backend->forget)
		l->backend->forget(l, fd, true);
}

void loop_set_timer(
	struct loop *l, struct timer *t, int64_t delay, timer_fn *fire)
{
	timer_set(&l->timers, t, l->now + (delay > 0 ? delay : 1), fire);
}

void loop_cancel_timer(struct loop *l, struct timer *t)
{
	timer_cancel(&l->timers, t);
}
