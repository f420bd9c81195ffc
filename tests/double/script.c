/* SPDX-License-Identifier: Apache-2.0 */

/* The scripted backend: a table of operations and a queue of results. */

#include "tests/double/script.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct script_op ops[SCRIPT_OPS];
static struct completion results[LOOP_BATCH];
static unsigned result_count;
static int64_t now;
static bool hold_cancels;

static int script_create(struct loop *l, const struct loop_params *params)
{
	(void)l;
	(void)params;
	memset(ops, 0, sizeof(ops));
	result_count = 0;
	now = CLOCK_SECOND;
	hold_cancels = false;
	return 0;
}

static void script_destroy(struct loop *l)
{
	(void)l;
}

static int script_enter(struct loop *l)
{
	(void)l;
	return 0;
}

static void script_start(
	struct loop *l, struct op *op, const struct op_args *args)
{
	(void)l;
	for (unsigned i = 0; i < SCRIPT_OPS; i++) {
		if (ops[i].op)
			continue;
		ops[i].op = op;
		ops[i].kind = (enum op_kind)op->kind;
		ops[i].args = *args;
		ops[i].cancelled = false;
		op->slot = i;
		return;
	}
	never_reached();
}

void script_complete(struct script_op *s, int result, bool last)
{
	assert(s && s->op && result_count < LOOP_BATCH);
	results[result_count++] = (struct completion){
		.op = s->op, .result = result, .last = last
	};
	if (last)
		s->op = NULL;
}

void script_receive(
	struct loop *l, struct script_op *s, const void *bytes, uint32_t size)
{
	struct chunk *c = chunk_take(l->chunks);

	assert(c && s->kind == OP_RECV && size > 0 && size <= c->size);
	memcpy(c->data, bytes, size);
	c->to = size;
	script_complete(s, (int)size, true);
	results[result_count - 1].chunk = c;
}

void script_receive_last(
	struct loop *l, struct script_op *s, const void *bytes, uint32_t size)
{
	struct op *op = s->op;

	script_receive(l, s, bytes, size);
	results[result_count - 1].last = false;
	s->op = op;
	script_complete(s, 0, true);
}

static void script_cancel(struct loop *l, struct op *op)
{
	struct script_op *s = &ops[op->slot];

	(void)l;
	/* The kernel was faster: its result is on the way already. */
	if (s->op != op)
		return;
	s->cancelled = true;
	if (!hold_cancels)
		script_complete(s, -ECANCELED, true);
}

static void script_move(struct loop *l, const struct op *from, struct op *to)
{
	(void)l;
	if (ops[to->slot].op == from)
		ops[to->slot].op = to;
	for (unsigned i = 0; i < result_count; i++)
		if (results[i].op == from)
			results[i].op = to;
}

static int script_wait(struct loop *l, int64_t timeout)
{
	int n = (int)result_count;

	memcpy(l->batch, results, result_count * sizeof(*results));
	result_count = 0;
	if (n == 0) {
		/* Nothing to come and no timer: the loop would hang. */
		assert(timeout != INT64_MAX);
		now += timeout;
	}
	return n;
}

static int64_t script_now(const struct loop *l)
{
	(void)l;
	return now;
}

const struct backend backend_script = {
	.name = "script",
	.create = script_create,
	.destroy = script_destroy,
	.enter = script_enter,
	.start = script_start,
	.cancel = script_cancel,
	.move = script_move,
	.wait = script_wait,
	.now = script_now,
};

struct loop *script_loop(struct counters *counters, uint32_t chunks)
{
	struct loop_params params = { .ops = SCRIPT_OPS,
		.chunk_size = 1024 + CHUNK_HEADROOM,
		.chunks_soft = chunks,
		.chunks_hard = 2 * chunks,
		.pipes = 2,
		.pipe_size = 65536,
		.counters = counters };
	struct loop *l = NULL;
	int rc = loop_create(&l, &backend_script, &params);

	assert(rc == 0);
	rc = loop_enter(l);
	assert(rc == 0);
	return l;
}

struct script_op *script_find(enum op_kind kind, int fd)
{
	for (unsigned i = 0; i < SCRIPT_OPS; i++)
		if (ops[i].op && ops[i].kind == kind && ops[i].args.fd == fd)
			return &ops[i];
	return NULL;
}

struct script_op *script_nth(unsigned n)
{
	for (unsigned i = 0; i < SCRIPT_OPS; i++)
		if (ops[i].op && n-- == 0)
			return &ops[i];
	return NULL;
}

void script_hold_cancels(bool hold)
{
	hold_cancels = hold;
}

void script_run(struct loop *l)
{
	/* Timers of the next turn (delay 0) are due after one nanosecond. */
	while (result_count > 0 || timers_next(&l->timers) <= now + 1)
		loop_turn(l);
}

void script_pass(struct loop *l, int64_t time)
{
	int64_t end = now + time;

	while (timers_next(&l->timers) <= end || result_count > 0)
		loop_turn(l);
	now = end;
	l->now = end;
}
