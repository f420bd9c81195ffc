/* SPDX-License-Identifier: Apache-2.0 */

/* The turn: callbacks from the loop only, cancels, timers on its clock. */
// links: common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c tests/double/script.c

#include "common/event/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/double/script.h"

static struct counters counters;
static struct loop *l;
static struct op op, other;
static int calls, result, others;

static void setup(void)
{
	l = script_loop(&counters, 8);
}

static void teardown(void)
{
	loop_destroy(&l);
}

TestSuite(loop, .init = setup, .fini = teardown);

static void done(struct op *o, int rc)
{
	calls++;
	result = rc;
	cr_assert_eq(op_in_flight(o), false);
}

static void accepted(struct op *o, int rc)
{
	calls++;
	result = rc;
	cr_assert_eq(op_in_flight(o), rc >= 0);
}

Test(loop, operation)
{
	op_poll(l, &op, 7, 1, done);
	cr_assert(op_in_flight(&op));
	cr_assert_eq(l->in_flight, 1);
	script_complete(script_find(OP_POLL, 7), 4, true);
	cr_assert_eq(calls, 0);
	script_run(l);
	cr_assert_eq(calls, 1);
	cr_assert_eq(result, 4);
	cr_assert_eq(l->in_flight, 0);
	cr_assert_eq(counters.value[COUNTER_completions], 1);
}

Test(loop, accept_goes_on_until_it_fails)
{
	struct script_op *s;

	op_accept(l, &op, 3, accepted);
	s = script_find(OP_ACCEPT, 3);
	for (int fd = 10; fd < 15; fd++)
		script_complete(s, fd, false);
	script_run(l);
	cr_assert_eq(calls, 5);
	cr_assert_eq(result, 14);
	script_complete(s, -EMFILE, true);
	script_run(l);
	cr_assert_eq(result, -EMFILE);
	cr_assert_eq(l->in_flight, 0);
}

Test(loop, cancel_calls_back_later)
{
	op_recv(l, &op, 7, done);
	op_cancel(l, &op);
	op_cancel(l, &op);
	cr_assert_eq(calls, 0);
	cr_assert(op_in_flight(&op));
	script_run(l);
	cr_assert_eq(calls, 1);
	cr_assert_eq(result, -ECANCELED);
	op_cancel(l, &op);
	cr_assert_eq(l->in_flight, 0);
}

Test(loop, cancel_that_loses_the_race)
{
	op_recv(l, &op, 7, done);
	script_receive(l, script_find(OP_RECV, 7), "abc", 3);
	op_cancel(l, &op);
	script_run(l);
	cr_assert_eq(calls, 1);
	cr_assert_eq(result, 3);
	cr_assert(memcmp(chunk_bytes(op.chunk), "abc", 3) == 0);
	chunk_give(op.chunk);
}

static void cancel_other(struct op *o, int rc)
{
	(void)o;
	(void)rc;
	calls++;
	op_cancel(l, &other);
}

static void other_done(struct op *o, int rc)
{
	(void)o;
	others++;
	result = rc;
}

/* Both complete in one turn: the first callback cancels the second too late. */
Test(loop, cancel_within_a_batch)
{
	op_poll(l, &op, 1, 1, cancel_other);
	op_poll(l, &other, 2, 1, other_done);
	script_complete(script_find(OP_POLL, 1), 1, true);
	script_complete(script_find(OP_POLL, 2), 9, true);
	script_run(l);
	cr_assert_eq(calls, 1);
	cr_assert_eq(others, 1);
	cr_assert_eq(result, 9);
	cr_assert_eq(l->in_flight, 0);
}

static struct timer timers[3];
static char order[16];

static void tick(struct timer *t)
{
	order[strlen(order)] = (char)('0' + (t - timers));
}

Test(loop, timers)
{
	loop_set_timer(l, &timers[0], 3 * CLOCK_SECOND, tick);
	loop_set_timer(l, &timers[1], 1 * CLOCK_SECOND, tick);
	loop_set_timer(l, &timers[2], 2 * CLOCK_SECOND, tick);
	script_pass(l, CLOCK_SECOND + CLOCK_MS);
	cr_assert_str_eq(order, "1");
	loop_cancel_timer(l, &timers[2]);
	loop_set_timer(l, &timers[1], 0, tick);
	script_run(l);
	cr_assert_str_eq(order, "11");
	script_pass(l, 10 * CLOCK_SECOND);
	cr_assert_str_eq(order, "110");
}

static struct op moved;
static int moves;

static void done_there(struct op *o, int rc)
{
	cr_assert_eq(o, &moved);
	cr_assert_eq(rc, 4 + moves);
	moves++;
}

static void moves_in_its_callback(struct op *o, int rc)
{
	calls++;
	chunk_give(o->chunk);
	cr_assert_eq(rc, 3);
	op_move(l, o, &moved, done_there);
	cr_assert_not(op_in_flight(o));
	cr_assert(op_in_flight(&moved));
}

Test(loop, what_is_in_flight_moves)
{
	op_move(l, &op, &moved, done_there);
	cr_assert_not(op_in_flight(&moved));
	op_poll(l, &op, 7, 1, done);
	op_move(l, &op, &moved, done_there);
	cr_assert_eq(l->in_flight, 1);
	script_complete(script_find(OP_POLL, 7), 4, true);
	script_run(l);
	cr_assert_eq(calls, 0);
	cr_assert_eq(moves, 1);
	cr_assert_eq(l->in_flight, 0);
}

Test(loop, what_has_come_already_moves_along)
{
	struct script_op *s;

	op_recv_many(l, &op, 7, moves_in_its_callback);
	s = script_find(OP_RECV, 7);
	script_complete(s, 3, false);
	script_complete(s, 4, false);
	script_complete(s, 5, true);
	script_run(l);
	cr_assert_eq(calls, 1);
	cr_assert_eq(moves, 2);
	cr_assert_eq(l->in_flight, 0);
}
