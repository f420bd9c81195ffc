/* SPDX-License-Identifier: Apache-2.0 */

/* Last words, and the drain behind them. */
// links: common/relay/farewell.c common/relay/drain.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/farewell.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/relay/drain.h"
#include "tests/double/streams.h"

TestSuite(farewell, .init = world_begin, .fini = world_end);

static struct farewells all;

static struct chunk_queue words(const char *text)
{
	struct chunk_queue q = { 0 };
	struct chunk *c = chunk_from_heap(100);

	c->to = (uint32_t)strlen(text);
	memcpy(c->data, text, c->to);
	chunk_queue_push(&q, c);
	return q;
}

Test(farewell, words_end_drain)
{
	struct chunk_queue q = words("404");
	struct end e = end_open();

	farewells_init(&all);
	farewell_begin(&all, e.stream, &q);
	cr_assert_eq(all.count, 1);
	cr_assert_not(end_is_finished(&e));
	cr_assert(end_take(&e, 3));
	cr_assert(end_is_finished(&e));
	/* The peer is still talking; it is heard out. */
	end_feed(&e, "more", 4);
	cr_assert_eq(all.count, 1);
	end_feed(&e, NULL, 0);
	cr_assert_eq(all.count, 0);
}

Test(farewell, takes_no_longer_than_its_time)
{
	struct chunk_queue q = words("404");
	struct end e = end_open();

	farewells_init(&all);
	farewell_begin(&all, e.stream, &q);
	script_pass(world_loop, FAREWELL_TIME + CLOCK_SECOND);
	cr_assert_eq(all.count, 0);
}

Test(farewell, cut_and_failures)
{
	struct chunk_queue q = words("a"), r = words("b"), none = { 0 };
	struct end e = end_open(), f = end_open(), g = end_open();

	farewells_init(&all);
	farewell_begin(&all, e.stream, &q);
	farewell_begin(&all, f.stream, &r);
	farewell_begin(&all, g.stream, &none);
	cr_assert(end_take(&f, -EPIPE));
	cr_assert_eq(all.count, 2);
	farewells_cut(&all);
	script_run(world_loop);
	cr_assert_eq(all.count, 0);
}

static int ends, result;

static void drained(struct drain *d, int rc)
{
	(void)d;
	ends++;
	result = rc;
}

Test(farewell, a_drain_is_bounded)
{
	struct end e = end_open();
	struct drain d = { 0 };
	char bytes[1024] = { 0 };

	drain_start(&d, e.stream, drained);
	for (int i = 0; i < DRAIN_MAX / 1024; i++)
		end_feed(&e, bytes, sizeof(bytes));
	cr_assert_eq(ends, 0);
	cr_assert_not(end_reads(&e));
	drain_stop(&d);
	stream_close(&e.stream, true);
}

Test(farewell, a_drain_hears_the_end)
{
	struct end e = end_open();
	struct drain d = { 0 };

	drain_start(&d, e.stream, drained);
	end_feed(&e, "x", 1);
	end_feed(&e, NULL, -ECONNRESET);
	cr_assert_eq(ends, 1);
	cr_assert_eq(result, -ECONNRESET);
	stream_close(&e.stream, true);
}
