/* SPDX-License-Identifier: Apache-2.0 */

/* Two directions: how an end or a cut of one side reaches the other. */
// links: common/relay/relay.c common/relay/pump.c common/relay/inspector.c common/relay/throttle.c common/relay/engine.c common/relay/drain.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/relay.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/double/streams.h"

static struct end a, b;
static struct relay r;
static int ends;
static enum reason why;

static void setup(void)
{
	world_begin();
	a = end_open();
	b = end_open();
}

static void teardown(void)
{
	relay_stop(&r);
	stream_close(&a.stream, true);
	stream_close(&b.stream, true);
	world_end();
}

TestSuite(relay, .init = setup, .fini = teardown);

static void ended(struct relay *which, enum reason reason)
{
	cr_assert_eq(which, &r);
	ends++;
	why = reason;
}

static struct relay_params params(void)
{
	return (struct relay_params){ .a = a.stream,
		.b = b.stream,
		.a_half_close = true,
		.b_half_close = true,
		.limit = PUMP_UNLIMITED,
		.counters = &world_counters,
		.ended = ended };
}

static void start(const struct relay_params *with)
{
	relay_init(&r, with);
	relay_start(&r);
	script_run(world_loop);
}

static void expect_end(enum reason want)
{
	cr_assert_eq(ends, 1);
	cr_assert_eq(why, want, "%s", reason_name(why));
}

Test(relay, both_ways_then_both_ends)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&a, "ask", 3);
	end_feed(&b, "answer", 6);
	cr_assert(end_take(&b, 3));
	cr_assert(end_take(&a, 6));
	end_feed(&a, NULL, 0);
	cr_assert(end_is_finished(&b));
	cr_assert_eq(ends, 0);
	end_feed(&b, "more", 4);
	cr_assert(end_take(&a, 4));
	end_feed(&b, NULL, 0);
	cr_assert(end_is_finished(&a));
	expect_end(REASON_done);
	cr_assert_eq(world_counters.value[COUNTER_bytes_in], 3);
	cr_assert_eq(world_counters.value[COUNTER_bytes_out], 10);
}

/* frp would close both ways: the end waits for the answer. */
Test(relay, end_is_held_towards_a_peer_without_half_close)
{
	struct relay_params with = params();

	with.b_half_close = false;
	start(&with);
	end_feed(&a, "ask", 3);
	cr_assert(end_take(&b, 3));
	end_feed(&a, NULL, 0);
	cr_assert_not(end_is_finished(&b));
	end_feed(&b, "answer", 6);
	cr_assert(end_take(&a, 6));
	script_pass(world_loop, 20 * CLOCK_SECOND);
	cr_assert_eq(ends, 0);
	end_feed(&b, NULL, 0);
	expect_end(REASON_done);
}

Test(relay, a_held_end_is_given_after_30_s)
{
	struct relay_params with = params();

	with.b_half_close = false;
	start(&with);
	end_feed(&a, "ask", 3);
	cr_assert(end_take(&b, 3));
	end_feed(&a, NULL, 0);
	script_pass(world_loop, RELAY_HOLD - CLOCK_SECOND);
	cr_assert(ends == 0 && !end_is_finished(&b));
	script_pass(world_loop, 2 * CLOCK_SECOND);
	cr_assert(ends == 1 || end_is_finished(&b));
}

/* Who has an answer, or has asked nothing, has mostly just closed. */
Test(relay, a_held_end_is_given_when_the_service_is_silent)
{
	for (int answered = 0; answered < 2; answered++) {
		struct relay_params with = params();

		with.b_half_close = false;
		start(&with);
		if (answered) {
			end_feed(&a, "ask", 3);
			cr_assert(end_take(&b, 3));
			end_feed(&b, "answer", 6);
			cr_assert(end_take(&a, 6));
		}
		end_feed(&a, NULL, 0);
		script_pass(world_loop, RELAY_HOLD_QUIET - CLOCK_SECOND);
		cr_assert(ends == 0 && !end_is_finished(&b));
		script_pass(world_loop, 2 * CLOCK_SECOND);
		cr_assert(ends == 1 || end_is_finished(&b));
		teardown();
		setup();
		ends = 0;
	}
}

/* As long as it talks, but not for ever. */
Test(relay, a_held_end_waits_while_the_service_talks)
{
	struct relay_params with = params();
	int64_t passed = 0;

	with.b_half_close = false;
	start(&with);
	end_feed(&b, "hello", 5);
	cr_assert(end_take(&a, 5));
	end_feed(&a, NULL, 0);
	for (; ends == 0 && !end_is_finished(&b); passed += CLOCK_SECOND) {
		cr_assert_leq(passed, RELAY_HOLD + RELAY_HOLD_QUIET);
		end_feed(&b, "more", 4);
		cr_assert(end_take(&a, 4));
		script_pass(world_loop, CLOCK_SECOND);
	}
	cr_assert_geq(passed, RELAY_HOLD - RELAY_HOLD_QUIET);
}

/* Without half-close its end means that it has gone altogether. */
Test(relay, end_of_a_peer_without_half_close)
{
	struct relay_params with = params();

	with.b_half_close = false;
	start(&with);
	end_feed(&b, "last", 4);
	end_feed(&b, NULL, 0);
	cr_assert_eq(ends, 0);
	cr_assert(end_take(&a, 4));
	script_pass(world_loop, RELAY_LINGER + CLOCK_SECOND);
	expect_end(REASON_done);
}

Test(relay, reset_by_the_visitor)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&a, NULL, -ECONNRESET);
	expect_end(REASON_visitor_reset);
}

Test(relay, reset_by_the_service)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&b, NULL, -ECONNRESET);
	expect_end(REASON_service_reset);
}

Test(relay, what_came_before_a_reset_is_delivered)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&b, "last words", 10);
	end_feed(&b, NULL, -ECONNRESET);
	cr_assert_eq(ends, 0);
	cr_assert(end_take(&a, 10));
	expect_end(REASON_service_reset);
}

Test(relay, failed_send_to_the_service)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&a, "x", 1);
	cr_assert(end_take(&b, -EPIPE));
	/* It may have said something before. */
	end_feed(&b, "too large", 9);
	cr_assert(end_take(&a, 9));
	cr_assert_eq(ends, 0);
	end_feed(&b, NULL, -ECONNRESET);
	expect_end(REASON_service_reset);
}

/* What it said is delivered first, however long that takes. */
Test(relay, failed_send_to_the_service_and_no_end)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&b, "early words", 11);
	end_feed(&a, "x", 1);
	cr_assert(end_take(&b, -EPIPE));
	script_pass(world_loop, RELAY_UNHEARD + CLOCK_SECOND);
	cr_assert_eq(ends, 0);
	cr_assert(end_take(&a, 11));
	script_pass(world_loop, RELAY_UNHEARD + CLOCK_SECOND);
	expect_end(REASON_service_reset);
}

Test(relay, failed_send_to_the_visitor)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&b, "x", 1);
	cr_assert(end_take(&a, -EPIPE));
	expect_end(REASON_visitor_reset);
}

Test(relay, limit_then_the_rest_is_dropped)
{
	struct relay_params with = params();

	with.limit = 4;
	start(&with);
	end_feed(&a, "bodyGET /", 9);
	cr_assert_eq(script_find(OP_SEND, b.fd)->args.size, 4);
	cr_assert(end_take(&b, 4));
	cr_assert_null(script_find(OP_SEND, b.fd));
	end_feed(&b, "answer", 6);
	cr_assert(end_take(&a, 6));
	end_feed(&b, NULL, 0);
	script_pass(world_loop, RELAY_LINGER + CLOCK_SECOND);
	expect_end(REASON_done);
	cr_assert_null(script_find(OP_SEND, b.fd));
}

Test(relay, stop_in_the_middle)
{
	struct relay_params with = params();

	start(&with);
	end_feed(&a, "x", 1);
	end_feed(&b, "y", 1);
	relay_stop(&r);
	stream_close(&a.stream, true);
	stream_close(&b.stream, true);
	script_run(world_loop);
	cr_assert_eq(ends, 0);
}

/* Any order of bytes, short sends, ends and errors: one end, nothing left. */
Test(relay, anything_goes)
{
	for (int seed = 1; seed <= 300; seed++) {
		struct relay_params with = params();
		struct end c = end_open(), d = end_open();

		srand((unsigned)seed);
		ends = 0;
		memset(&r, 0, sizeof(r));
		with.a = c.stream;
		with.b = d.stream;
		with.a_half_close = rand() % 2;
		with.b_half_close = rand() % 2;
		start(&with);
		for (int step = 0; step < 200 && ends == 0; step++) {
			struct script_op *s = script_nth((unsigned)rand() % 4);
			int dice = rand() % 40;

			if (!s)
				continue;
			if (s->kind == OP_SEND)
				script_complete(s,
					dice ? 1 + rand() % (int)s->args.size
					     : -EPIPE,
					true);
			else if (dice < 2)
				script_complete(
					s, dice ? -ECONNRESET : 0, true);
			else
				script_receive(world_loop, s, "some bytes",
					1 + (uint32_t)rand() % 10);
			script_run(world_loop);
		}
		cr_assert_leq(ends, 1, "seed %d", seed);
		relay_stop(&r);
		stream_close(&c.stream, true);
		stream_close(&d.stream, true);
		script_run(world_loop);
		cr_assert_eq(chunk_pool_used(world_loop->chunks), 0, "seed %d",
			seed);
	}
}
