/* SPDX-License-Identifier: Apache-2.0 */

/* Last words, and the drain behind them. */
// links: common/relay/farewell.c common/relay/drain.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/farewell.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"
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

/* An end over TCP, whose peer's buffer has the answer. */
static struct end tcp_open(void)
{
	struct address a;
	struct pollfd p = { .events = POLLIN };
	struct end e;
	bool pending;

	cr_assert_eq(address_parse(&a, "127.0.0.1", 0), 0);
	p.fd = socket_listen(&a);
	cr_assert_geq(p.fd, 0);
	address_of_self(&a, p.fd);
	e.peer = socket_connect(&a, NULL, &pending);
	cr_assert_geq(e.peer, 0);
	cr_assert_eq(poll(&p, 1, 2000), 1);
	e.fd = accept4(p.fd, NULL, NULL, SOCK_NONBLOCK);
	cr_assert_geq(e.fd, 0);
	close(p.fd);
	cr_assert_eq(send(e.fd, "200", 3, MSG_MORE), 3);
	e.stream = raw_stream_open(world_streams, world_loop, e.fd);
	return e;
}

/* The answer has come, and what follows it: 0 the end, or -errno. */
static void expect_answer(const struct end *e, int then)
{
	struct pollfd p = { .fd = e->peer, .events = POLLIN };
	char bytes[8];

	cr_assert_eq(poll(&p, 1, 2000), 1);
	cr_assert_eq(recv(e->peer, bytes, sizeof(bytes), 0), 3);
	cr_assert_eq(recv(e->peer, bytes, 1, 0), then < 0 ? -1 : 0);
	if (then < 0)
		cr_assert_eq(errno, -then);
}

static void begin_silent(const struct end *e)
{
	struct chunk_queue none = { 0 };

	farewell_begin(&all, e->stream, &none);
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
	cr_assert(farewells_finish(&all, false));
	script_run(world_loop);
	cr_assert_eq(all.count, 0);
}

/* At a gentle end who has still something to say has time for it. */
Test(farewell, what_is_said_arrives_after_the_end)
{
	struct chunk_queue q = words("a");
	struct end e = end_open(), f = tcp_open();

	farewells_init(&all);
	farewell_begin(&all, e.stream, &q);
	begin_silent(&f);
	cr_assert_not(farewells_finish(&all, true));
	cr_assert_eq(all.count, 1);
	cr_assert(end_take(&e, 1));
	cr_assert(farewells_finish(&all, true));
	script_run(world_loop);
	expect_answer(&f, 0);
	/* It is no reset that has ended it. */
	cr_assert_eq(send(f.peer, "x", 1, MSG_NOSIGNAL), 1);
	close(f.peer);
}

/* --- those that are put aside --- */

/* The peer ends while nobody waits for it; and then it is over. */
Test(farewell, who_ends_at_once_is_not_waited_for)
{
	struct end e = tcp_open();

	farewells_init(&all);
	begin_silent(&e);
	cr_assert_eq(all.count, 1);
	cr_assert_not(end_reads(&e));
	expect_answer(&e, 0);
	cr_assert_eq(shutdown(e.peer, SHUT_WR), 0);
	script_pass(world_loop, 2 * FAREWELL_ASIDE + CLOCK_MS);
	cr_assert_eq(all.count, 0);
	cr_assert_eq(send(e.peer, "x", 1, MSG_NOSIGNAL), -1);
	close(e.peer);
}

/* What it says behind its last request is no reason to lose the answer. */
Test(farewell, who_still_talks_is_drained)
{
	struct end e = tcp_open();

	farewells_init(&all);
	begin_silent(&e);
	cr_assert_eq(send(e.peer, "more", 4, 0), 4);
	script_pass(world_loop, FAREWELL_ASIDE / 2);
	cr_assert_not(end_reads(&e));
	script_pass(world_loop, 2 * FAREWELL_ASIDE);
	cr_assert(end_reads(&e));
	cr_assert_eq(all.count, 1);
	end_feed(&e, "more", 4);
	end_feed(&e, NULL, 0);
	cr_assert_eq(all.count, 0);
	close(e.peer);
}

/* Each is left alone for a round at least, and no longer than two. */
Test(farewell, the_young_wait_for_the_next_round)
{
	struct end e = tcp_open(), f = tcp_open();

	farewells_init(&all);
	begin_silent(&e);
	script_pass(world_loop, FAREWELL_ASIDE / 2);
	begin_silent(&f);
	script_pass(world_loop, FAREWELL_ASIDE * 3 / 4);
	cr_assert_not(end_reads(&e));
	script_pass(world_loop, FAREWELL_ASIDE * 3 / 4);
	cr_assert(end_reads(&e));
	cr_assert(end_reads(&f));
	cr_assert(farewells_finish(&all, false));
	script_run(world_loop);
	cr_assert_eq(all.count, 0);
	close(e.peer);
	close(f.peer);
}

/* Without room the first is looked at; at the end of all they are cut. */
Test(farewell, so_many_are_put_aside_and_no_more)
{
	enum {
		EXTRA = 3,
		N = FAREWELL_ASIDE_MAX + EXTRA
	};
	static struct end ends[N];

	pool_destroy(&world_streams);
	world_streams = pool_create(sizeof(struct raw_stream), N);
	farewells_init(&all);
	for (int i = 0; i < N; i++) {
		ends[i] = tcp_open();
		begin_silent(&ends[i]);
	}
	cr_assert_eq(all.count, N);
	for (int i = 0; i < N; i++)
		cr_assert_eq(end_reads(&ends[i]), i < EXTRA);
	cr_assert(farewells_finish(&all, false));
	script_run(world_loop);
	cr_assert_eq(all.count, 0);
	for (int i = EXTRA; i < N; i++)
		expect_answer(&ends[i], 0);
	for (int i = 0; i < N; i++)
		close(ends[i].peer);
}

static int end_count, result;

static void drained(struct drain *d, int rc)
{
	(void)d;
	end_count++;
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
	cr_assert_eq(end_count, 0);
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
	cr_assert_eq(end_count, 1);
	cr_assert_eq(result, -ECONNRESET);
	stream_close(&e.stream, true);
}
