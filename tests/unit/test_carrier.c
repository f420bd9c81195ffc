/* SPDX-License-Identifier: Apache-2.0 */

/* A connection that carries visits: how each begins and ends, and what not. */
// links: common/relay/carrier.c common/relay/carrier_rest.c common/relay/inlet.c common/wire/carry.c common/relay/layer.c common/relay/layer_rest.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c tests/double/toy.c

#include "common/relay/carrier.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/relay/layer.h"
#include "tests/double/streams.h"
#include "tests/double/toy.h"

static struct carriers all;
static struct end e;
static struct stream *s; /* the carrier's, as long as it is the test's */
static int renewed, got_size, got_calls;
static char got[4096];
static int sent_result;

static void again(struct carrier *c)
{
	renewed++;
	s = &c->stream;
}

static void begin(bool starts)
{
	world_begin();
	carriers_init(&all);
	all.loop = world_loop;
	all.pool = pool_create(sizeof(struct carrier), 4);
	all.starts = starts;
	all.again = again;
	e = end_open();
	s = &carrier_open(&all, e.stream, NULL)->stream;
}

static void teardown(void)
{
	stream_close(&s, true);
	carriers_cut(&all);
	world_end();
	cr_assert_eq(pool_used(all.pool), 0);
	pool_destroy(&all.pool);
}

static void setup_client(void)
{
	begin(false);
}

static void setup_server(void)
{
	begin(true);
}

TestSuite(carrier_client, .init = setup_client, .fini = teardown);
TestSuite(carrier_server, .init = setup_server, .fini = teardown);

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	(void)r;
	got_calls++;
	got_size = result;
	if (c) {
		memcpy(got, chunk_bytes(c), chunk_length(c));
		got[chunk_length(c)] = '\0';
	}
	chunk_give(c);
}

static struct stream_reader reader = { received };

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	(void)w;
	sent_result = result;
	chunk_give(c);
}

static struct stream_writer writer = { sent };

/* Read once; true: at once or from the loop, these bytes. */
static void read_next(void)
{
	struct chunk *c;
	int n = stream_take(s, &c);

	got_calls = 0;
	if (n == -EAGAIN)
		stream_read(s, &reader);
	else
		received(&reader, c, n);
}

#define expect(text)                         \
	do {                                 \
		cr_assert_eq(got_calls, 1);  \
		cr_assert_str_eq(got, text); \
	} while (0)

#define expect_end(result)                      \
	do {                                    \
		cr_assert_eq(got_calls, 1);     \
		cr_assert_eq(got_size, result); \
	} while (0)

#define feed(bytes) end_feed(&e, bytes, sizeof(bytes) - 1)

static void say(const char *text)
{
	struct chunk *c = chunk_take(world_loop->chunks);

	c->to = (uint32_t)strlen(text);
	memcpy(c->data, text, c->to);
	stream_write(s, c, false, &writer);
}

/* The link sends exactly these bytes. */
#define leaves(bytes)                                                        \
	do {                                                                 \
		struct script_op *op = script_find(OP_SEND, e.fd);           \
                                                                             \
		cr_assert_not_null(op);                                      \
		cr_assert_eq(op->args.size, sizeof(bytes) - 1);              \
		cr_assert(!memcmp(op->args.data, bytes, sizeof(bytes) - 1)); \
		end_take(&e, sizeof(bytes) - 1);                             \
	} while (0)

Test(carrier_client, two_visits)
{
	for (int i = 0; i < 2; i++) {
		read_next();
		feed("\1\0\0\3who");
		expect("who");
		read_next();
		feed("\2\0\0\5hello\2\0\0\1!");
		expect("hello!");
		say("yes");
		leaves("\2\0\0\3yes");
		cr_assert_eq(sent_result, 0);
		read_next();
		feed("\3\0\0\0");
		expect_end(0);
		cr_assert_eq(stream_finish(s), 0);
		leaves("\3\0\0\0");
		stream_close(&s, false);
		cr_assert_eq(renewed, i + 1);
		cr_assert_not_null(s);
	}
}

/* Over a layer a visit comes and goes as over a socket, but for pipes. */
Test(carrier_client, over_a_layer)
{
	struct pool *layers = pool_create(sizeof(struct layer), 1);
	struct stream *link;

	cr_assert(stream_can_splice(s));
	stream_close(&s, false);
	script_run(world_loop);
	e = end_open();
	link = layer_open(layers, e.stream, toy_new(TOY_FRAMES));
	s = &carrier_open(&all, link, NULL)->stream;
	cr_assert_not(stream_can_splice(s));
	read_next();
	feed("d\5\x54\x55\x55\x54\x34");
	expect("a");
	say("b");
	leaves("d\5\x57\x55\x55\x54\x37");
	stream_close(&s, true);
	feed("d\4\x56\x55\x55\x55");
	leaves("d\4\x51\x55\x55\x55");
	cr_assert_eq(renewed, 1);
	cr_assert_not(stream_can_splice(s));
	stream_close(&s, false);
	leaves("e");
	cr_assert_eq(pool_used(layers), 0);
	pool_destroy(&layers);
}

Test(carrier_client, a_frame_in_any_pieces)
{
	static const char bytes[] = "\1\0\0\1w\2\0\0\2ab\2\0\0\1c\3\0\0\0";
	char all_of_it[8] = "";

	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		if (!s->reading)
			read_next();
		got[0] = '\0';
		end_feed(&e, &bytes[i], 1);
		strcat(all_of_it, got);
	}
	cr_assert_str_eq(all_of_it, "wabc");
	read_next();
	expect_end(0);
	stream_close(&s, false);
	leaves("\3\0\0\0");
	cr_assert_eq(renewed, 1);
}

Test(carrier_client, end_and_next_start_in_one_chunk)
{
	read_next();
	feed("\1\0\0\1a");
	expect("a");
	cr_assert_eq(stream_finish(s), 0);
	leaves("\3\0\0\0");
	read_next();
	feed("\2\0\0\1b\3\0\0\0\1\0\0\2cd\2\0\0\1e");
	expect("b");
	read_next();
	expect_end(0);
	stream_close(&s, false);
	cr_assert_eq(renewed, 1);
	read_next();
	expect("cde");
}

Test(carrier_client, abort_by_the_server)
{
	read_next();
	feed("\1\0\0\1a\2\0\0\1b\4\0\0\0");
	expect("ab");
	read_next();
	expect_end(-ECONNRESET);
	stream_close(&s, true);
	leaves("\4\0\0\0");
	cr_assert_eq(renewed, 1);
}

Test(carrier_client, an_end_of_the_connection_is_a_cut)
{
	read_next();
	feed("\1\0\0\1a");
	read_next();
	end_feed(&e, NULL, 0);
	expect_end(-ECONNRESET);
	stream_close(&s, true);
	cr_assert_eq(renewed, 0);
}

Test(carrier_client, idle_it_may_end)
{
	read_next();
	end_feed(&e, NULL, 0);
	expect_end(0);
	stream_close(&s, false);
	cr_assert_eq(renewed, 0);
}

#define BREAKS(name, bytes)               \
	Test(carrier_client, name)        \
	{                                 \
		read_next();              \
		feed(bytes);              \
		expect_end(-EPROTO);      \
		stream_close(&s, true);   \
		cr_assert_eq(renewed, 0); \
	}

BREAKS(data_before_start, "\2\0\0\1a")
BREAKS(start_within_a_visit, "\1\0\0\1a\1\0\0\1b")
BREAKS(start_before_our_end, "\1\0\0\1a\3\0\0\0\1\0\0\1b")
BREAKS(data_after_the_end, "\1\0\0\1a\3\0\0\0\2\0\0\1b")
BREAKS(no_such_type, "\1\0\0\1a\7\0\0\0")
BREAKS(an_end_with_bytes, "\1\0\0\1a\3\0\0\1x")

Test(carrier_server, starts_and_parts)
{
	say("who");
	leaves("\1\0\0\3who");
	say("more");
	leaves("\2\0\0\4more");
	read_next();
	feed("\2\0\0\1r\3\0\0\0");
	expect("r");
	stream_close(&s, false);
	leaves("\3\0\0\0");
	cr_assert_eq(renewed, 1);
	/* And once more. */
	say("who");
	leaves("\1\0\0\3who");
	stream_close(&s, true);
	leaves("\4\0\0\0");
	/* What was still coming is thrown away. */
	feed("\2\0\0\3lat");
	cr_assert_eq(renewed, 1);
	feed("\2\0\0\1e\4\0\0\0");
	cr_assert_eq(renewed, 2);
}

Test(carrier_server, abort_waits_for_the_frame_that_is_going_out)
{
	say("who");
	leaves("\1\0\0\3who");
	say("half");
	end_take(&e, 5);
	stream_close(&s, true);
	leaves("alf");
	leaves("\4\0\0\0");
	feed("\3\0\0\0");
	cr_assert_eq(renewed, 1);
}

Test(carrier_server, the_other_end_does_not_come)
{
	say("who");
	leaves("\1\0\0\3who");
	stream_close(&s, true);
	leaves("\4\0\0\0");
	script_pass(world_loop, CARRIER_PATIENCE);
	cr_assert_eq(renewed, 0);
	cr_assert_eq(pool_used(all.pool), 0);
}

/* The other end will not read to the end of so much: it is left alone. */
Test(carrier_server, aborted_after_much_it_is_not_used_again)
{
	static const uint32_t per = 1024;
	char text[1024];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (uint32_t sent = 0; sent <= CARRIER_DRAIN_MAX; sent += per - 1) {
		say(text);
		end_take(&e, CARRY_HEADER + per - 1);
	}
	stream_close(&s, true);
	end_take(&e, CARRY_HEADER);
	feed("\4\0\0\0");
	cr_assert_eq(renewed, 0);
	cr_assert_eq(pool_used(all.pool), 0);
}

Test(carrier_server, aborted_after_little_it_is)
{
	say("who");
	leaves("\1\0\0\3who");
	stream_close(&s, true);
	leaves("\4\0\0\0");
	feed("\4\0\0\0");
	cr_assert_eq(renewed, 1);
}

/* It may have let go of it then, and be about to cut. */
Test(carrier_server, after_an_end_of_long_ago_it_is_not)
{
	say("who");
	leaves("\1\0\0\3who");
	read_next();
	feed("\3\0\0\0");
	expect_end(0);
	script_pass(world_loop, CARRIER_LATE + CLOCK_MS);
	stream_close(&s, false);
	leaves("\3\0\0\0");
	cr_assert_eq(renewed, 0);
	cr_assert_eq(pool_used(all.pool), 0);
}

Test(carrier_server, nothing_may_come_while_idle)
{
	read_next();
	feed("\2\0\0\1x");
	expect_end(-EPROTO);
	stream_close(&s, true);
	cr_assert_eq(renewed, 0);
}

/* A pipe with "bulk" in it, filled through a pair of sockets. */
static struct pipe *pipe_of_bulk(int pair[2])
{
	struct pipe *p = pipe_take(world_loop->pipes);

	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	cr_assert_eq(send(pair[1], "bulk", 4, 0), 4);
	cr_assert_eq(pipe_fill(p, pair[0], 100), 4);
	return p;
}

/* What is in flight does not complete it: no last word may follow. */
Test(carrier_server, a_frame_that_cannot_be_completed)
{
	int pair[2];
	struct pipe *p = pipe_of_bulk(pair);

	say("who");
	leaves("\1\0\0\3who");
	/* As if there were more of it. */
	p->bytes = 8;
	cr_assert_eq(stream_splice_out(s, p), 4);
	p->bytes = 0;
	pipe_give(p);
	say("fo");
	stream_close(&s, true);
	cr_assert_eq(pool_used(all.pool), 0);
	cr_assert_eq(renewed, 0);
	close(pair[0]);
	close(pair[1]);
}

Test(carrier_server, through_pipes)
{
	int pair[2];
	struct pipe *p = pipe_of_bulk(pair);
	char bytes[64];

	say("who");
	leaves("\1\0\0\3who");
	/* Out: the header first, for exactly what is in the pipe. */
	cr_assert_eq(stream_splice_out(s, p), 4);
	cr_assert_eq(recv(e.peer, bytes, sizeof(bytes), 0), 8);
	cr_assert(!memcmp(bytes, "\2\0\0\4bulk", 8));
	/* In: never beyond a frame, and its end is seen. */
	cr_assert_eq(send(e.peer, "\2\0\0\3abc\2\0\0\1d\3\0\0\0", 16, 0), 16);
	cr_assert_eq(stream_splice_in(s, p, 100), 3);
	cr_assert_eq(pipe_drain(p, pair[0], false), 3);
	cr_assert_eq(stream_splice_in(s, p, 100), 1);
	cr_assert_eq(pipe_drain(p, pair[0], false), 1);
	cr_assert_eq(stream_splice_in(s, p, 100), 0);
	pipe_give(p);
	cr_assert_eq(stream_finish(s), 0);
	leaves("\3\0\0\0");
	stream_close(&s, false);
	cr_assert_eq(renewed, 1);
}
