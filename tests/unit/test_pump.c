/* SPDX-License-Identifier: Apache-2.0 */

/* One direction: order, marks, limits, inspectors, ends. */
// links: common/relay/pump.c common/relay/inspector.c common/relay/throttle.c common/relay/engine.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/pump.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/double/streams.h"

static struct end a, b;
static struct pump p;
static int ends;
static enum pump_end how;
static char out[1 << 20];
static size_t out_size;

static void setup(void)
{
	world_begin();
	a = end_open();
	b = end_open();
}

static void teardown(void)
{
	pump_stop(&p);
	stream_close(&a.stream, true);
	stream_close(&b.stream, true);
	world_end();
}

static struct throttle slow;

TestSuite(pump, .init = setup, .fini = teardown);

static void ended(struct pump *q, enum pump_end e)
{
	cr_assert_eq(q, &p);
	ends++;
	how = e;
}

static void start(uint64_t limit, struct inspector *inspector)
{
	pump_init(&p, &(struct pump_params){ .source = a.stream,
			      .sink = b.stream,
			      .ended = ended,
			      .limit = limit,
			      .inspector = inspector,
			      .counters = &world_counters,
			      .counter = COUNTER_bytes_in,
			      .throttles = { { &slow } } });
	pump_start(&p);
}

/* The sink takes up to n bytes of what is being sent. */
static bool drain(uint32_t n)
{
	struct script_op *s = script_find(OP_SEND, b.fd);

	if (!s)
		return false;
	n = n < s->args.size ? n : s->args.size;
	memcpy(out + out_size, s->args.data, n);
	out_size += n;
	return end_take(&b, (int)n);
}

static void expect(const char *want, enum pump_end e)
{
	while (drain(UINT32_MAX))
		;
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, e);
	cr_assert_eq(out_size, strlen(want));
	cr_assert(memcmp(out, want, out_size) == 0);
}

Test(pump, moves_and_ends)
{
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, "hello ", 6);
	cr_assert(drain(4));
	cr_assert(drain(2));
	end_feed(&a, "world", 5);
	end_feed(&a, NULL, 0);
	cr_assert_eq(ends, 0);
	expect("hello world", PUMP_EOF);
	cr_assert_eq(world_counters.value[COUNTER_bytes_in], 11);
}

/* The last bytes and the sink's end are one segment, where one follows. */
static bool last_is_marked(bool finishes, uint64_t limit)
{
	struct script_op *s;

	pump_init(&p, &(struct pump_params){ .source = a.stream,
			      .sink = b.stream,
			      .ended = ended,
			      .limit = limit,
			      .finishes = finishes,
			      .counters = &world_counters,
			      .counter = COUNTER_bytes_in });
	pump_start(&p);
	script_receive_last(world_loop, script_find(OP_RECV, a.fd), "last", 4);
	script_run(world_loop);
	s = script_find(OP_SEND, b.fd);
	cr_assert_not_null(s);
	return s->args.more;
}

Test(pump, last_bytes_go_with_the_end)
{
	cr_assert(last_is_marked(true, PUMP_UNLIMITED));
	expect("last", PUMP_EOF);
}

Test(pump, no_end_follows)
{
	cr_assert_not(last_is_marked(false, PUMP_UNLIMITED));
	expect("last", PUMP_EOF);
}

Test(pump, a_limit_is_an_end)
{
	cr_assert(last_is_marked(true, 4));
	expect("last", PUMP_LIMIT);
}

Test(pump, the_end_comes_before_the_limit)
{
	cr_assert_not(last_is_marked(true, 5));
	expect("last", PUMP_EOF);
}

/* As if a bulk had begun: a buffer was filled, and more is there. */
static void begin_bulk(void)
{
	static const char block[1024];

	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, block, sizeof(block));
	cr_assert(drain(1024));
	cr_assert_not(end_reads(&a));
	cr_assert(script_find(OP_POLL, a.fd));
}

/* So many bytes come in reality. */
static void arrive(size_t n)
{
	static const char bytes[65536] = "bulk";

	cr_assert_eq(send(a.peer, bytes, n, 0), (ssize_t)n);
	script_complete(script_find(OP_POLL, a.fd), POLLIN, true);
	script_run(world_loop);
}

/* And so many go out. */
static size_t leave(void)
{
	char got[65536];
	ssize_t n = recv(b.peer, got, sizeof(got), MSG_DONTWAIT);

	return n < 0 ? 0 : (size_t)n;
}

Test(pump, bulk_is_spliced_until_it_thins)
{
	begin_bulk();
	arrive(20000);
	cr_assert_eq(leave(), 20000);
	for (int i = 0; i < ENGINE_THIN_WAKES; i++) {
		arrive(100);
		cr_assert_eq(leave(), 100);
	}
	cr_assert(end_reads(&a));
	cr_assert_eq(world_counters.value[COUNTER_bytes_spliced], 20400);
	cr_assert_eq(world_counters.value[COUNTER_bytes_copied], 1024);
	end_feed(&a, NULL, 0);
	cr_assert_eq(how, PUMP_EOF);
}

Test(pump, bulk_without_a_pipe_is_copied)
{
	struct pipe *one = pipe_take(world_loop->pipes);
	struct pipe *two = pipe_take(world_loop->pipes);

	begin_bulk();
	script_complete(script_find(OP_POLL, a.fd), POLLIN, true);
	script_run(world_loop);
	end_feed(&a, "copied", 6);
	cr_assert(drain(6));
	pipe_give(one);
	pipe_give(two);
	arrive(7);
	cr_assert_eq(leave(), 7);
}

Test(pump, a_slow_sink_gives_the_pipe_back)
{
	int small = 1, bursts = 0;
	size_t n = 0, more;

	setsockopt(b.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	begin_bulk();
	while (!script_find(OP_POLL, b.fd)) {
		cr_assert_lt(bursts++, 10);
		arrive(6000);
	}
	cr_assert_eq(pipe_pool_used(world_loop->pipes), 1);
	script_pass(world_loop, PIPE_PATIENCE);
	cr_assert_eq(pipe_pool_used(world_loop->pipes), 0);
	script_complete(script_find(OP_POLL, b.fd), POLLOUT, true);
	script_run(world_loop);
	while (drain(UINT32_MAX))
		;
	while ((more = leave()) > 0)
		n += more;
	cr_assert_eq(n + out_size, 1024 + 6000 * (size_t)bursts);
}

Test(pump, back_pressure)
{
	static const char line[] = "0123456789";

	start(PUMP_UNLIMITED, NULL);
	/* One being sent, and PUMP_MARK waiting. */
	for (int i = 0; i < PUMP_MARK + 1; i++)
		end_feed(&a, line, 10);
	cr_assert_not(end_reads(&a));
	cr_assert(drain(10));
	cr_assert(end_reads(&a));
}

Test(pump, one_buffer_when_they_are_scarce)
{
	struct chunk *held[9];

	for (int i = 0; i < 9; i++)
		held[i] = chunk_take(world_loop->chunks);
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, "x", 1);
	cr_assert_not(end_reads(&a));
	cr_assert(drain(1));
	cr_assert(end_reads(&a));
	for (int i = 0; i < 9; i++)
		chunk_give(held[i]);
}

Test(pump, pushed_bytes_go_first_and_do_not_count)
{
	struct chunk *c = chunk_from_heap(4);

	memcpy(c->data, "head", 4);
	c->to = 4;
	pump_init(&p, &(struct pump_params){ .source = a.stream,
			      .sink = b.stream,
			      .ended = ended,
			      .limit = 3,
			      .counters = &world_counters,
			      .counter = COUNTER_bytes_in });
	pump_push(&p, c);
	pump_start(&p);
	end_feed(&a, "body", 4);
	expect("headbod", PUMP_LIMIT);
	cr_assert_eq(world_counters.value[COUNTER_bytes_in], 3);
	/* What is beyond the limit stays the source's. */
	cr_assert_eq(stream_take(a.stream, &c), 1);
	cr_assert_eq(*chunk_bytes(c), 'y');
	chunk_give(c);
}

Test(pump, a_limit_of_nothing)
{
	start(0, NULL);
	expect("", PUMP_LIMIT);
}

Test(pump, a_failed_source_delivers_what_came_before)
{
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, "abc", 3);
	end_feed(&a, NULL, -ECONNRESET);
	cr_assert_eq(ends, 0);
	expect("abc", PUMP_SOURCE_FAILED);
}

/* The source's peer goes without having read all: that is a reset. */
static void reset_source(void)
{
	cr_assert_eq(send(a.fd, "x", 1, 0), 1);
	cr_assert_eq(close(a.peer), 0);
}

static void start_heeding(bool heeds)
{
	pump_init(&p, &(struct pump_params){ .source = a.stream,
			      .sink = b.stream,
			      .ended = ended,
			      .heeds_reset = heeds,
			      .limit = PUMP_UNLIMITED,
			      .counters = &world_counters,
			      .counter = COUNTER_bytes_in });
	pump_start(&p);
	for (int i = 0; i < PUMP_MARK + 1; i++)
		end_feed(&a, "0123456789", 10);
	cr_assert_not(end_reads(&a));
}

Test(pump, a_reset_behind_a_stuck_sink)
{
	start_heeding(true);
	script_pass(world_loop, 10 * PUMP_LOOK);
	cr_assert_eq(ends, 0);
	reset_source();
	script_pass(world_loop, 2 * PUMP_LOOK);
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, PUMP_SOURCE_FAILED);
	/* The write that was under way is nobody's. */
	end_take(&b, 10);
}

Test(pump, a_reset_behind_a_sink_that_takes)
{
	start_heeding(true);
	reset_source();
	for (int i = 0; i < 5; i++) {
		/* Each gives room for a chunk, which is read. */
		script_pass(world_loop, PUMP_LOOK / 2);
		cr_assert(drain(10));
		end_feed(&a, "0123456789", 10);
	}
	cr_assert_eq(ends, 0);
}

Test(pump, a_half_closed_source_is_no_reset)
{
	start_heeding(true);
	cr_assert_eq(shutdown(a.peer, SHUT_WR), 0);
	script_pass(world_loop, 10 * PUMP_LOOK);
	cr_assert_eq(ends, 0);
}

/* As of a service that has said all, to a visitor who reads slowly. */
Test(pump, a_reset_that_nobody_asks_for)
{
	start_heeding(false);
	reset_source();
	script_pass(world_loop, 10 * PUMP_LOOK);
	cr_assert_eq(ends, 0);
	while (drain(10))
		;
	cr_assert_eq(out_size, 50);
}

/* A receive that ran ahead has taken the word of it from the socket. */
Test(pump, a_reset_that_is_known_already)
{
	start_heeding(true);
	a.stream->read_end = -ECONNRESET;
	script_pass(world_loop, 2 * PUMP_LOOK);
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, PUMP_SOURCE_FAILED);
	end_take(&b, 10);
}

Test(pump, a_failed_sink_ends_at_once)
{
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, "abc", 3);
	end_feed(&a, "def", 3);
	end_take(&b, -EPIPE);
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, PUMP_SINK_FAILED);
}

/*
 * Takes "P", runs over two after "R", drops "D", ends at "E", fails at "B";
 * puts "<>" in the place of "S" and behind "A", ends behind "L", and quits at
 * "Q".
 */
static struct inspection letters(
	struct inspector *i, const uint8_t *bytes, uint32_t size)
{
	(void)i;
	(void)size;
	switch (bytes[0]) {
	case 'R':
		return (struct inspection){ .verdict = INSPECT_RUN,
			.count = 3 };
	case 'D':
		return (struct inspection){ .verdict = INSPECT_DROP,
			.count = 1 };
	case 'E':
		return (struct inspection){ .verdict = INSPECT_DONE };
	case 'B':
		return (struct inspection){ .verdict = INSPECT_BAD };
	case 'S':
		return (struct inspection){ INSPECT_DROP, 1,
			(const uint8_t *)"<>", 2, false };
	case 'A':
		return (struct inspection){ INSPECT_PASS, 1,
			(const uint8_t *)"<>", 2, false };
	case 'Q':
		return (struct inspection){ .verdict = INSPECT_QUIT };
	case 'L':
		return (struct inspection){ INSPECT_DROP, 1, NULL, 0, true };
	default:
		return (struct inspection){ .verdict = INSPECT_PASS,
			.count = 1 };
	}
}

static struct inspector inspector = { letters };

Test(pump, inspector)
{
	struct chunk *c;

	start(PUMP_UNLIMITED, &inspector);
	/* The run reaches over chunks; its bytes are not looked at. */
	end_feed(&a, "PDRD", 4);
	end_feed(&a, "BDPEnext", 8);
	expect("PRDBP", PUMP_INSPECTED);
	cr_assert_eq(stream_take(a.stream, &c), 5);
	cr_assert(memcmp(chunk_bytes(c), "Enext", 5) == 0);
	chunk_give(c);
}

/* With a gap for it, without one, at the start and the end of a chunk. */
Test(pump, inspector_puts)
{
	struct chunk *c;

	start(PUMP_UNLIMITED, &inspector);
	end_feed(&a, "DDSP", 4);
	end_feed(&a, "SPA", 3);
	end_feed(&a, "APSRSA", 6);
	end_feed(&a, "SPLnext", 7);
	expect("<>P<>PA<>A<>P<>RSA<>P", PUMP_INSPECTED);
	cr_assert_eq(stream_take(a.stream, &c), 4);
	cr_assert(memcmp(chunk_bytes(c), "next", 4) == 0);
	chunk_give(c);
}

/* An end that is known with the last byte needs no byte more. */
Test(pump, inspector_knows_the_last)
{
	start(PUMP_UNLIMITED, &inspector);
	end_feed(&a, "PPL", 3);
	expect("PP", PUMP_INSPECTED);
}

/* From there on the pump is as one that never had an inspector. */
Test(pump, inspector_quits)
{
	start(PUMP_UNLIMITED, &inspector);
	end_feed(&a, "PP", 2);
	while (drain(UINT32_MAX))
		;
	cr_assert_not(pump_is_idle(&p));
	end_feed(&a, "DPQEBD", 6);
	end_feed(&a, "DEB", 3);
	while (drain(UINT32_MAX))
		;
	cr_assert(pump_is_idle(&p));
	end_feed(&a, NULL, 0);
	expect("PPPQEBDDEB", PUMP_EOF);
}

Test(pump, inspector_refuses)
{
	start(PUMP_UNLIMITED, &inspector);
	end_feed(&a, "PPB", 3);
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, PUMP_BAD);
}

Test(pump, stop_leaves_both_streams)
{
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, "abc", 3);
	end_feed(&a, "def", 3);
	pump_stop(&p);
	end_take(&b, 3);
	cr_assert_eq(ends, 0);
	cr_assert_null(a.stream->reader);
}

/* Whatever the pieces: the bytes that come out are those that went in. */
Test(pump, any_pieces)
{
	enum {
		SIZE = 300000
	};
	char *in = malloc(SIZE);
	size_t fed = 0;

	srand(11);
	for (size_t i = 0; i < SIZE; i++)
		in[i] = (char)rand();
	start(PUMP_UNLIMITED, NULL);
	while (fed < SIZE || out_size < SIZE) {
		if (rand() % 2 && fed < SIZE && end_reads(&a)) {
			int n = 1 + rand() % 1023;

			n = (size_t)n < SIZE - fed ? n : (int)(SIZE - fed);
			end_feed(&a, in + fed, n);
			fed += (size_t)n;
		} else {
			drain(1 + (uint32_t)rand() % 1024);
		}
		cr_assert_leq(
			chunk_pool_used(world_loop->chunks), PUMP_MARK + 2);
	}
	end_feed(&a, NULL, 0);
	cr_assert_eq(how, PUMP_EOF);
	cr_assert_eq(ends, 1);
	cr_assert(memcmp(in, out, SIZE) == 0);
	free(in);
}

/* --- under a throttle --- */

#define RATE 65536
#define PIECE (RATE / THROTTLE_PIECES)
#define TURN (CLOCK_SECOND / THROTTLE_PIECES)

static void charge(uint32_t n)
{
	throttles_charge(&(struct throttles){ { &slow } }, n, world_loop->now);
}

/* The bucket is empty from now on. */
static void slow_down(void)
{
	throttle_set_rate(&slow, RATE);
	charge(THROTTLE_BURST_LEAST);
}

/* The first piece has gone, and the rest of a chunk waits. */
static void begin_slowly(const char *bytes, size_t n)
{
	start(PUMP_UNLIMITED, NULL);
	slow_down();
	end_feed(&a, bytes, n);
	cr_assert(drain(UINT32_MAX));
	cr_assert_eq(out_size, n < PIECE ? n : PIECE);
}

static char text[3 * 1024 + 1];

static void fill_text(void)
{
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 26);
}

Test(pump, slowly_piece_by_piece)
{
	fill_text();
	slow_down();
	/* A turn for each piece, none for nothing. */
	start(PUMP_UNLIMITED, NULL);
	end_feed(&a, text, 1000);
	cr_assert(drain(UINT32_MAX));
	end_feed(&a, text + 1000, 1000);
	cr_assert_not(drain(UINT32_MAX));
	/* Nothing is read meanwhile. */
	cr_assert_not(end_reads(&a));
	script_pass(world_loop, TURN);
	cr_assert(drain(UINT32_MAX));
	cr_assert_eq(out_size, 2000);
	cr_assert(end_reads(&a));
	end_feed(&a, NULL, 0);
	cr_assert_eq(ends, 1);
	cr_assert_eq(how, PUMP_EOF);
	cr_assert(memcmp(out, text, 2000) == 0);
}

/* One turn of a slower rate is less than the chunk. */
Test(pump, the_end_comes_behind_the_last_piece)
{
	struct chunk *c = chunk_from_heap(3 * 1024);

	fill_text();
	memcpy(c->data, text, 3 * 1024);
	c->to = 3 * 1024;
	pump_init(&p, &(struct pump_params){ .source = a.stream,
			      .sink = b.stream,
			      .ended = ended,
			      .limit = 0,
			      .finishes = true,
			      .counters = &world_counters,
			      .counter = COUNTER_bytes_in,
			      .throttles = { { NULL, &slow } } });
	pump_push(&p, c);
	slow_down();
	pump_start(&p);
	for (int i = 1; i <= 3; i++) {
		struct script_op *s = script_find(OP_SEND, b.fd);

		cr_assert_not_null(s);
		cr_assert_eq(s->args.size, PIECE);
		cr_assert_eq(s->args.more, i == 3);
		/* A short send is no new piece. */
		cr_assert(drain(100));
		cr_assert(drain(UINT32_MAX));
		cr_assert_eq(ends, i == 3);
		cr_assert_not(drain(UINT32_MAX));
		script_pass(world_loop, TURN);
	}
	cr_assert_eq(how, PUMP_LIMIT);
	cr_assert_eq(out_size, 3 * 1024);
	cr_assert(memcmp(out, text, out_size) == 0);
}

Test(pump, stops_while_it_waits)
{
	fill_text();
	begin_slowly(text, 1024);
	end_feed(&a, text, 1024);
	cr_assert_not(drain(UINT32_MAX));
	pump_stop(&p);
	/* What was granted went back. */
	cr_assert_eq(slow.paid, world_loop->now + TURN);
	script_pass(world_loop, CLOCK_SECOND);
	cr_assert_eq(ends, 0);
	cr_assert_null(script_find(OP_SEND, b.fd));
}

Test(pump, a_limit_is_taken_away)
{
	fill_text();
	begin_slowly(text, 1000);
	charge(10 * RATE);
	end_feed(&a, text, 1000);
	script_pass(world_loop, 2 * CLOCK_SECOND);
	cr_assert_not(drain(UINT32_MAX));
	throttle_set_rate(&slow, 0);
	script_pass(world_loop, THROTTLE_LOOK);
	cr_assert(drain(UINT32_MAX));
	cr_assert_eq(out_size, 2000);
	/* Not throttled, it reads ahead again. */
	end_feed(&a, text, 10);
	end_feed(&a, text, 10);
	cr_assert(end_reads(&a));
}

Test(pump, bulk_is_spliced_slowly)
{
	begin_bulk();
	slow_down();
	arrive(4000);
	cr_assert_eq(leave(), PIECE);
	for (int sum = PIECE; sum < 4000;) {
		size_t n;

		/* The next wait ends at once, and the turn is not there. */
		script_complete(script_find(OP_POLL, a.fd), POLLIN, true);
		script_run(world_loop);
		cr_assert_eq(leave(), 0);
		cr_assert_null(script_find(OP_POLL, a.fd));
		script_pass(world_loop, TURN);
		script_complete(script_find(OP_POLL, a.fd), POLLIN, true);
		script_run(world_loop);
		n = leave();
		cr_assert(n == PIECE || n == 4000 % PIECE);
		sum += (int)n;
	}
	cr_assert_eq(pipe_pool_used(world_loop->pipes), 0);
}
