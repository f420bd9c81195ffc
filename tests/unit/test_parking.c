/* SPDX-License-Identifier: Apache-2.0 */

/* Quiet relays are parked, and go on with the first thing that comes. */
// links: common/relay/parking.c common/relay/relay.c common/relay/pump.c common/relay/inspector.c common/relay/throttle.c common/relay/engine.c common/relay/drain.c common/relay/carrier.c common/relay/carrier_rest.c common/relay/inlet.c common/wire/carry.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/parking.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/double/streams.h"

/* The owner: at most one relay, awake or parked. */
static struct parking parking;
static struct carriers carriers;
static struct relay relay;
static struct end a, b;
static struct stream *sa, *sb;
static int wakes, gone, ends;
static enum reason why;
static struct carrier *renewed;
static enum parked_carrier side;

static void ended(struct relay *r, enum reason reason)
{
	(void)r;
	ends++;
	why = reason;
	stream_close(&sa, !reason_is_clean(reason));
	stream_close(&sb, !reason_is_clean(reason));
}

static void start(void)
{
	struct relay_params params = { .a = sa,
		.b = sb,
		.a_half_close = true,
		.b_half_close = true,
		.limit = PUMP_UNLIMITED,
		.counters = &world_counters,
		.ended = ended };

	relay_init(&relay, &params);
	relay_start(&relay);
	parking_watch(&parking, &relay);
}

static void on_idle(struct relay *r)
{
	struct parked *p = pool_take(parking.records);

	cr_assert_eq(r, &relay);
	if (parking_take(&parking, p, r, side))
		sa = sb = NULL;
	else
		pool_give(parking.records, p);
}

static void on_wake(struct parked *p, struct stream *x, struct stream *y)
{
	wakes++;
	pool_give(parking.records, p);
	sa = x;
	sb = y;
	start();
}

static void on_gone(struct parked *p)
{
	gone++;
	pool_give(parking.records, p);
}

static void renew(struct carrier *c)
{
	renewed = c;
}

static void begin(void)
{
	world_begin();
	carriers_init(&carriers);
	carriers.loop = world_loop;
	carriers.pool = pool_create(sizeof(struct carrier), 2);
	carriers.again = renew;
	parking = (struct parking){ .loop = world_loop,
		.records = pool_create(sizeof(struct parked), 2),
		.streams = world_streams,
		.carriers = &carriers,
		.idle = on_idle,
		.wake = on_wake,
		.gone = on_gone };
	parking_init(&parking);
	a = end_open();
	b = end_open();
	sa = a.stream;
	sb = b.stream;
	start();
}

static void end(void)
{
	cr_assert_eq(pool_used(parking.records), 0);
	cr_assert_eq(pool_used(carriers.pool), 0);
	pool_destroy(&parking.records);
	pool_destroy(&carriers.pool);
	world_end();
}

TestSuite(parking, .init = begin, .fini = end);

static void expect_parked(void)
{
	script_pass(world_loop, 2 * PARKING_TICK);
	cr_assert_eq(pool_used(parking.records), 1);
	cr_assert_eq(pool_used(world_streams), 0);
	cr_assert(list_empty(&parking.awake));
	/* Both sockets still listen. */
	cr_assert(end_reads(&a));
	cr_assert(end_reads(&b));
}

/* Bytes come on one side and are sent on the other. */
static void pass(const struct end *from, const struct end *to)
{
	end_feed(from, "hello", 5);
	cr_assert(end_take(to, 5));
}

static void finish(void)
{
	end_feed(&a, NULL, 0);
	end_feed(&b, NULL, 0);
	cr_assert_eq(ends, 1);
	cr_assert_eq(why, REASON_done);
}

Test(parking, goes_on_with_the_first_bytes_of_either_side)
{
	expect_parked();
	pass(&a, &b);
	cr_assert_eq(wakes, 1);
	pass(&b, &a);
	expect_parked();
	pass(&b, &a);
	cr_assert_eq(wakes, 2);
	pass(&a, &b);
	cr_assert_eq(relay.out.bytes, 5);
	finish();
}

Test(parking, one_that_is_not_quiet_stays)
{
	for (int i = 0; i < 5; i++) {
		script_pass(world_loop, PARKING_TICK);
		pass(&a, &b);
	}
	cr_assert_eq(pool_used(parking.records), 0);
	/* A write that is not taken is no quiet either. */
	end_feed(&a, "hello", 5);
	script_pass(world_loop, 5 * PARKING_TICK);
	cr_assert_eq(pool_used(parking.records), 0);
	cr_assert(end_take(&b, 5));
	expect_parked();
	pass(&b, &a);
	finish();
}

Test(parking, a_half_closed_one_stays)
{
	end_feed(&a, NULL, 0);
	script_pass(world_loop, 5 * PARKING_TICK);
	cr_assert_eq(pool_used(parking.records), 0);
	end_feed(&b, NULL, 0);
	cr_assert_eq(ends, 1);
}

Test(parking, ends_and_cuts_are_passed_on)
{
	expect_parked();
	end_feed(&a, NULL, 0);
	cr_assert_eq(wakes, 1);
	cr_assert_eq(ends, 0);
	cr_assert(end_is_finished(&b));
	end_feed(&b, NULL, -ECONNRESET);
	cr_assert_eq(ends, 1);
	cr_assert_eq(why, REASON_service_reset);
}

Test(parking, both_sides_stir_in_one_turn)
{
	expect_parked();
	script_receive(world_loop, script_find(OP_RECV, b.fd), "back", 4);
	end_feed(&a, "out", 3);
	cr_assert_eq(wakes, 1);
	cr_assert(end_take(&a, 4));
	cr_assert(end_take(&b, 3));
	finish();
}

Test(parking, cut_at_the_end)
{
	expect_parked();
	parking_cut(&parking);
	parking_cut(&parking);
	script_run(world_loop);
	cr_assert_eq(gone, 1);
	cr_assert_eq(wakes, 0);
}

/* From now on a is a carrier's link, and the relay goes over its visit. */
static void carry_a(void)
{
	struct carrier *c;

	relay_stop(&relay);
	c = carrier_wake(&carriers, sa);
	cr_assert_not_null(c);
	sa = &c->stream;
	side = PARKED_A;
	start();
}

static void never_gone(struct carrier *c)
{
	(void)c;
	cr_assert_fail("a carrier that the owner was never told of");
}

static void cut_without_memory(const struct end *stirs)
{
	struct stream *others[16];
	struct end e;

	expect_parked();
	for (int i = 0; i < 15; i++) {
		e = end_open();
		others[i] = e.stream;
	}
	/* There is room for one stream of two. */
	end_feed(stirs, "hello", 5);
	cr_assert_eq(gone, 1);
	cr_assert_eq(wakes, 0);
	cr_assert_eq(pool_used(carriers.pool), 0);
	for (int i = 0; i < 15; i++)
		stream_close(&others[i], true);
}

Test(parking, without_memory_it_is_cut)
{
	cut_without_memory(&a);
}

Test(parking, without_memory_a_visit_is_cut)
{
	carry_a();
	carriers.gone = never_gone;
	cut_without_memory(&a);
}

Test(parking, without_memory_a_visit_is_cut_when_the_other_side_stirs)
{
	carry_a();
	carriers.gone = never_gone;
	cut_without_memory(&b);
}

Test(parking, without_memory_for_the_carrier_it_is_cut)
{
	struct carrier *others[2];

	carry_a();
	carriers.gone = never_gone;
	expect_parked();
	for (int i = 0; i < 2; i++)
		others[i] = pool_take(carriers.pool);
	end_feed(&b, "hello", 5);
	cr_assert_eq(gone, 1);
	cr_assert_eq(wakes, 0);
	for (int i = 0; i < 2; i++)
		pool_give(carriers.pool, others[i]);
}
