/* SPDX-License-Identifier: Apache-2.0 */

/* A connection's layers taken apart and put together again. */
// links: common/relay/stack.c common/relay/layer.c common/relay/layer_rest.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c tests/double/toy.c

#include "common/relay/stack.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/relay/layer.h"
#include "tests/double/streams.h"
#include "tests/double/toy.h"

static struct pool *layers;
static struct end e;
static struct stream *s;
static struct stack_rest rest;

static void setup(void)
{
	world_begin();
	layers = pool_create(sizeof(struct layer), STACK_LAYERS);
}

static void teardown(void)
{
	stream_close(&s, true);
	layers_cut(layers);
	world_end();
	cr_assert_eq(pool_used(layers), 0);
	cr_assert_eq(toys, 0);
	pool_destroy(&layers);
}

TestSuite(stack, .init = setup, .fini = teardown);

static void begin(unsigned n)
{
	e = end_open();
	s = e.stream;
	while (n-- > 0)
		s = layer_open(layers, s, toy_new(TOY_FRAMES));
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	(void)w;
	cr_assert_eq(result, 0);
	chunk_give(c);
}

static struct stream_writer writer = { sent };

static void no_one(struct stream_reader *r, struct chunk *c, int result)
{
	(void)r;
	(void)c;
	cr_assert(false, "called with %d", result);
}

static struct stream_reader nobody = { no_one };

/* What goes down through the layers comes up through the same, turned round
 * by the test. */
static void expect_echo(void)
{
	static const char text[] = "hello";
	struct script_op *op;
	struct chunk *c;
	uint8_t bytes[64];
	int n;

	stream_write(s, chunk_copy((const uint8_t *)text, 6), false, &writer);
	op = script_find(OP_SEND, e.fd);
	cr_assert_not_null(op);
	n = (int)op->args.size;
	memcpy(bytes, op->args.data, (size_t)n);
	end_take(&e, n);
	if (stream_take(s, &c) == -EAGAIN) {
		stream_read(s, &nobody);
		stream_leave_reading(s);
	}
	end_feed(&e, bytes, n);
	cr_assert_eq(stream_take(s, &c), 6);
	cr_assert_eq(memcmp(chunk_bytes(c), text, 6), 0);
	chunk_give(c);
}

Test(stack, moves_with_any_number_of_layers)
{
	for (unsigned n = 0; n <= STACK_LAYERS; n++) {
		begin(n);
		cr_assert(stack_can_move(s));
		cr_assert_not(stack_can_rest(s));
		expect_echo();
		cr_assert(stack_can_move(s));
		stack_rest(&s, &rest, NULL);
		cr_assert_null(s);
		cr_assert_eq(rest.count, n);
		cr_assert_eq(pool_used(layers) + pool_used(world_streams), 0);
		s = stack_wake(world_streams, layers, world_loop, &rest);
		cr_assert_not_null(s);
		cr_assert_eq(rest.count, 0);
		cr_assert_eq(rest.socket.fd, -1);
		expect_echo();
		stream_close(&s, true);
		script_run(world_loop);
	}
}

Test(stack, cannot_while_something_is_in_it)
{
	struct chunk *c;

	begin(2);
	/* A write. */
	stream_write(s, chunk_copy((const uint8_t *)"a", 1), false, &writer);
	cr_assert_not(stack_can_move(s));
	end_take(&e, 5);
	cr_assert(stack_can_move(s));
	/* A read. */
	stream_read(s, &nobody);
	cr_assert_not(stack_can_move(s));
	cr_assert(stack_can_rest(s));
	stream_leave_reading(s);
	/* An answer of the lower one. */
	end_feed(&e, "p", 1);
	cr_assert_not(stack_can_rest(s));
	end_take(&e, 1);
	cr_assert(stack_can_rest(s));
	/* Bytes. */
	end_feed(&e, "d\3\x31\x54\x34", 5);
	cr_assert_not(stack_can_move(s));
	cr_assert_eq(stream_take(s, &c), 1);
	chunk_give(c);
	cr_assert(stack_can_move(s));
	stream_close(&s, true);
	script_run(world_loop);
	e = end_open();
	s = layer_open(layers, e.stream, toy_new(TOY_SECOND));
	cr_assert_not(stack_can_rest(s));
	stream_close(&s, true);
}

static void stirred(struct op *op, int result)
{
	cr_assert_eq(op, &rest.socket.recv);
	s = stack_wake(world_streams, layers, world_loop, &rest);
	cr_assert_not_null(s);
	stack_stir(s, result);
}

Test(stack, rests_and_is_stirred)
{
	const struct {
		const char *bytes;
		int size, result;
	} rows[] = {
		{ "d\1\x34", 3, 1 },
		{ "e", 1, 0 },
		{ NULL, 0, -ECONNRESET },
		{ NULL, -ETIMEDOUT, -ETIMEDOUT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct chunk *c;

		begin(1);
		stream_read(s, &nobody);
		stream_leave_reading(s);
		cr_assert(stack_can_rest(s));
		stack_rest(&s, &rest, stirred);
		cr_assert_eq(pool_used(layers), 0);
		end_feed(&e, rows[i].bytes, rows[i].size);
		cr_assert_not_null(s);
		cr_assert_eq(stream_take(s, &c), rows[i].result);
		chunk_give(c);
		stream_close(&s, true);
		script_run(world_loop);
	}
}

Test(stack, without_room_to_wake)
{
	struct stream *other = end_open().stream;
	struct stream *more[STACK_LAYERS];

	for (int i = 0; i < 2; i++) {
		other = layer_open(layers, other, toy_new(TOY_PLAIN));
		more[i] = other;
	}
	begin(2);
	stack_rest(&s, &rest, NULL);
	more[2] = layer_open(layers, end_open().stream, toy_new(TOY_PLAIN));
	/* One of two fits. */
	cr_assert_null(stack_wake(world_streams, layers, world_loop, &rest));
	stack_discard(&rest);
	cr_assert(end_is_finished(&e));
	cr_assert_eq(toys, 3);
	stream_close(&other, true);
	stream_close(&more[2], true);
}

Test(stack, discarded)
{
	begin(3);
	stack_rest(&s, &rest, NULL);
	stack_discard(&rest);
	cr_assert_eq(toys, 0);
	cr_assert(end_is_finished(&e));
}
