/* SPDX-License-Identifier: Apache-2.0 */

/* The stream over a stream: handshakes, pieces, ends, errors, joins. */
// links: common/relay/layer.c common/relay/layer_rest.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c tests/double/toy.c

#include "common/relay/layer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event/loop.h"
#include "tests/double/streams.h"
#include "tests/double/toy.h"

static struct pool *layers;
static struct end e;
static struct stream *s;
static int reads, got_result, writes, sent_result;
static char got[4096];

static void setup(void)
{
	world_begin();
	layers = pool_create(sizeof(struct layer), 4);
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

TestSuite(layer, .init = setup, .fini = teardown);

static void begin(enum toy_kind kind)
{
	e = end_open();
	s = layer_open(layers, e.stream, toy_new(kind));
	cr_assert_not_null(s);
	cr_assert(layer_is(s));
	cr_assert_not(layer_is(layer_below(s)));
}

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	(void)r;
	reads++;
	got_result = result;
	if (c) {
		memcpy(got, chunk_bytes(c), chunk_length(c));
		got[chunk_length(c)] = '\0';
	}
	chunk_give(c);
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	(void)w;
	writes++;
	sent_result = result;
	chunk_give(c);
}

static struct stream_reader reader = { received };
static struct stream_writer writer = { sent };

/* Read once, now or when something comes. */
static void ask(void)
{
	struct chunk *c;
	int n = stream_take(s, &c);

	reads = 0;
	if (n == -EAGAIN)
		stream_read(s, &reader);
	else
		received(&reader, c, n);
}

static void write_bytes(const void *bytes, uint32_t n)
{
	struct chunk *c = chunk_copy(bytes, n);

	writes = 0;
	cr_assert_not_null(c);
	stream_write(s, c, false, &writer);
}

#define say(text) write_bytes(text, sizeof(text) - 1)
#define feed(bytes) end_feed(&e, bytes, sizeof(bytes) - 1)

#define expect(text)                         \
	do {                                 \
		cr_assert_eq(reads, 1);      \
		cr_assert_str_eq(got, text); \
	} while (0)

#define expect_end(result)                        \
	do {                                      \
		cr_assert_eq(reads, 1);           \
		cr_assert_eq(got_result, result); \
	} while (0)

/* Exactly these bytes are being sent below; they are taken. */
#define leaves(bytes)                                                          \
	do {                                                                   \
		struct script_op *op = script_find(OP_SEND, e.fd);             \
                                                                               \
		cr_assert_not_null(op, "nothing is being sent");               \
		cr_assert_eq(op->args.size, sizeof(bytes) - 1, "%.*s",         \
			(int)op->args.size, (const char *)op->args.data);      \
		cr_assert(                                                     \
			memcmp(op->args.data, bytes, sizeof(bytes) - 1) == 0); \
		end_take(&e, sizeof(bytes) - 1);                               \
	} while (0)

static bool sends(void)
{
	return script_find(OP_SEND, e.fd);
}

/* "a", "abc" and "hello" flipped. */
#define A "\x34"
#define ABC "\x34\x37\x36"
#define HELLO "\x3d\x30\x39\x39\x3a"

Test(layer, plain_bytes)
{
	begin(TOY_PLAIN);
	cr_assert_not(end_reads(&e));
	ask();
	feed(ABC);
	expect("abc");
	cr_assert_not(end_reads(&e));
	say("hello");
	leaves(HELLO);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, 0);
	cr_assert_eq(stream_descriptor(s), e.fd);
	cr_assert_eq(stream_finish(s), 0);
	cr_assert(end_is_finished(&e));
	ask();
	end_feed(&e, NULL, 0);
	expect_end(0);
	cr_assert_null(layer_trouble(s));
	stream_close(&s, false);
}

Test(layer, a_frame_in_any_pieces)
{
	static const char bytes[] = "d\3" ABC "d\2" ABC "\1";
	char all[16] = "";

	begin(TOY_FRAMES);
	for (size_t i = 0; i < 9; i++) {
		if (!s->reading)
			ask();
		got[0] = '\0';
		end_feed(&e, &bytes[i], 1);
		strcat(all, got);
		cr_assert_eq(chunk_pool_used(world_loop->chunks), 0);
	}
	cr_assert_str_eq(all, "abcab");
}

Test(layer, short_writes_go_on)
{
	begin(TOY_FRAMES);
	say("hello");
	end_take(&e, 3);
	cr_assert_eq(writes, 0);
	end_take(&e, 4);
	cr_assert_eq(writes, 1);
}

/* The first speaks at once, and is read below though nobody reads it. */
Test(layer, handshake_by_itself)
{
	begin(TOY_FIRST);
	cr_assert(end_reads(&e));
	say("hello");
	leaves("h");
	cr_assert_eq(writes, 0);
	cr_assert_not(sends());
	feed("h");
	leaves("d\5" HELLO);
	cr_assert_eq(writes, 1);
	cr_assert_not(end_reads(&e));
}

Test(layer, second_answers)
{
	begin(TOY_SECOND);
	cr_assert_not(sends());
	say("hello");
	ask();
	cr_assert_not(sends());
	/* Its word and the data go out together. */
	feed("h");
	leaves("hd\5" HELLO);
	cr_assert_eq(writes, 1);
	feed("d\3" ABC);
	expect("abc");
}

/* What came with the last word of a handshake is kept for the reader. */
Test(layer, data_behind_the_handshake)
{
	begin(TOY_SECOND);
	feed("hd\3" ABC);
	leaves("h");
	cr_assert_not(end_reads(&e));
	ask();
	expect("abc");
	ask();
	feed("e");
	expect_end(0);
}

/* Bytes that were read before the layer came are its first. */
Test(layer, what_is_unread_below)
{
	e = end_open();
	stream_unread(e.stream, chunk_copy((const uint8_t *)"hd", 2));
	s = layer_open(layers, e.stream, toy_new(TOY_SECOND));
	leaves("h");
	ask();
	feed("\3" ABC);
	expect("abc");
}

Test(layer, reader_leaves_and_comes_back)
{
	begin(TOY_FRAMES);
	ask();
	stream_leave_reading(s);
	feed("d\3" ABC);
	cr_assert_eq(reads, 0);
	ask();
	expect("abc");
	ask();
	stream_leave_reading(s);
	stream_read(s, &reader);
	feed("d\1" A);
	expect("a");
	ask();
	stream_leave_reading(s);
	feed("d\3");
	cr_assert(end_reads(&e));
	feed(ABC "e");
	ask();
	expect("abc");
	ask();
	expect_end(0);
}

/* A chunk holds what it can; the rest is not lost. */
Test(layer, more_than_a_chunk_in_below)
{
	uint8_t flipped[3000];
	struct chunk *c;
	uint32_t sum = 0;

	memset(flipped, 'a' ^ TOY_FLIP, sizeof(flipped));
	e = end_open();
	for (int i = 0; i < 3; i++) {
		c = chunk_copy(flipped, sizeof(flipped));
		chunk_queue_push(&e.stream->unread, c);
	}
	s = layer_open(layers, e.stream, toy_new(TOY_PLAIN));
	while (stream_take(s, &c) > 0) {
		cr_assert_eq(chunk_length(c), sum == 8192 ? 808 : 1024);
		sum += chunk_length(c);
		chunk_give(c);
	}
	cr_assert_eq(sum, 9000);
	cr_assert(layer_can_rest(s));
}

/* A whole chunk goes out in one write; a larger one in as few as can be. */
Test(layer, large_writes)
{
	char bytes[4000];
	uint32_t in_all = 0, pieces = 0;
	struct script_op *op;

	memset(bytes, 'a', sizeof(bytes));
	begin(TOY_FRAMES);
	write_bytes(bytes, 1024);
	op = script_find(OP_SEND, e.fd);
	cr_assert_eq(op->args.size, 1024 + 16 * 2);
	end_take(&e, 1024 + 16 * 2);
	cr_assert_eq(writes, 1);
	write_bytes(bytes, sizeof(bytes));
	while ((op = script_find(OP_SEND, e.fd))) {
		int n = (int)op->args.size;

		in_all += op->args.size;
		pieces++;
		cr_assert_eq(op->args.more, pieces < 3);
		end_take(&e, n);
	}
	cr_assert_eq(pieces, 3);
	cr_assert_geq(in_all, 4000 + 63 * 2);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, 0);
}

static uint32_t length;

static void measured(struct stream_reader *r, struct chunk *c, int result)
{
	(void)r;
	length = c ? chunk_length(c) : 0;
	got_result = result;
	chunk_give(c);
}

static struct stream_reader measurer = { measured };

/* One read, one write; without large chunks, in pieces. */
static void move_bulk(uint32_t read, uint32_t written)
{
	static char bytes[60000];
	struct script_op *op;

	begin(TOY_PLAIN);
	s->gulp = STREAM_BULK;
	stream_read(s, &measurer);
	end_feed(&e, bytes, 1024);
	stream_read(s, &measurer);
	script_pass(world_loop, 1); /* there might be more of the 1,024 */
	cr_assert_eq(send(e.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	op = script_find(OP_POLL, e.fd);
	cr_assert_not_null(op);
	script_complete(op, POLLIN, true);
	script_run(world_loop);
	if (end_reads(&e))
		end_feed(&e, bytes, (int)read);
	cr_assert_eq(length, read);
	write_bytes(bytes, sizeof(bytes));
	op = script_find(OP_SEND, e.fd);
	cr_assert_eq(op->args.size, written);
	stream_close(&s, true);
	script_run(world_loop);
}

Test(layer, bulk_in_large_chunks)
{
	struct chunk *all[LOOP_BULK_CHUNKS];

	move_bulk(60000, 60000);
	for (int i = 0; i < LOOP_BULK_CHUNKS; i++)
		all[i] = chunk_take(world_loop->bulk);
	move_bulk(1000, 1024 + LOOP_SEAL);
	for (int i = 0; i < LOOP_BULK_CHUNKS; i++)
		chunk_give(all[i]);
}

Test(layer, answers_while_idle_and_between_writes)
{
	begin(TOY_FRAMES);
	ask();
	feed("p");
	leaves("o");
	say("hello");
	feed("pp");
	leaves("d\5" HELLO);
	cr_assert_eq(writes, 1);
	leaves("oo");
	cr_assert(layer_can_rest(s));
	feed("d\1" A);
	expect("a");
}

/* --- no memory --- */

Test(layer, waits_for_a_chunk)
{
	struct chunk *all[32];

	begin(TOY_FRAMES);
	ask();
	script_receive(world_loop, script_find(OP_RECV, e.fd), "d\1a", 3);
	for (int i = 0; i < 31; i++) {
		all[i] = chunk_take(world_loop->chunks);
		cr_assert_not_null(all[i]);
	}
	cr_assert_null(chunk_take(world_loop->chunks));
	script_run(world_loop);
	cr_assert_eq(reads, 0);
	script_pass(world_loop, 3 * LAYER_RETRY);
	cr_assert_eq(reads, 0);
	for (int i = 0; i < 31; i++)
		chunk_give(all[i]);
	script_pass(world_loop, LAYER_RETRY);
	expect("4");
}

/* The same, and who waits leaves, takes, comes back. */
Test(layer, takes_while_it_waits_for_a_chunk)
{
	struct chunk *all[32];

	begin(TOY_FRAMES);
	ask();
	stream_leave_reading(s);
	script_receive(world_loop, script_find(OP_RECV, e.fd), "d\1a", 3);
	for (int i = 0; i < 31; i++)
		all[i] = chunk_take(world_loop->chunks);
	script_run(world_loop);
	ask();
	cr_assert_eq(reads, 0);
	stream_leave_reading(s);
	for (int i = 0; i < 31; i++)
		chunk_give(all[i]);
	ask();
	expect("4");
	ask();
	script_pass(world_loop, LAYER_RETRY);
	cr_assert_eq(reads, 0);
	feed("e");
	expect_end(0);
}

Test(layer, sealed_chunks_run_out)
{
	struct chunk *all[32];

	begin(TOY_FRAMES);
	for (int i = 0; i < 32; i++)
		all[i] = chunk_take(world_loop->sealed);
	say("hello");
	leaves("d\5" HELLO);
	cr_assert_eq(writes, 1);
	for (int i = 0; i < 32; i++)
		chunk_give(all[i]);
}

Test(layer, pool_is_exhausted)
{
	struct stream *more[4];
	struct end ends[5];

	for (int i = 0; i < 4; i++) {
		ends[i] = end_open();
		more[i] = layer_open(layers, ends[i].stream, toy_new(0));
		cr_assert_not_null(more[i]);
	}
	ends[4] = end_open();
	cr_assert_null(layer_open(layers, ends[4].stream, toy_new(0)));
	cr_assert_eq(toys, 4);
	cr_assert(end_is_finished(&ends[4]));
	for (int i = 0; i < 4; i++)
		stream_close(&more[i], false);
}

/* --- ends --- */

Test(layer, finish_says_so_first)
{
	begin(TOY_FRAMES);
	cr_assert_eq(stream_finish(s), 0);
	cr_assert_not(end_is_finished(&e));
	leaves("e");
	cr_assert(end_is_finished(&e));
	ask();
	feed("d\1" A "e");
	expect("a");
	cr_assert(s->ending);
	ask();
	expect_end(0);
	stream_close(&s, false);
	cr_assert_eq(pool_used(layers), 0);
}

Test(layer, finish_in_a_handshake_waits)
{
	begin(TOY_FIRST);
	cr_assert_eq(stream_finish(s), 0);
	leaves("h");
	cr_assert_not(sends());
	feed("h");
	leaves("e");
	cr_assert(end_is_finished(&e));
}

Test(layer, finish_behind_an_answer)
{
	begin(TOY_FRAMES);
	ask();
	feed("p");
	cr_assert_eq(stream_finish(s), 0);
	leaves("o");
	leaves("e");
	cr_assert(end_is_finished(&e));
	/* What cannot be answered any more is not. */
	feed("p");
	cr_assert_not(sends());
	feed("e");
	expect_end(0);
}

Test(layer, below_ends)
{
	const struct {
		enum toy_kind kind;
		const char *bytes;
		int below, result;
	} rows[] = {
		{ TOY_PLAIN, "", 0, 0 },
		{ TOY_PLAIN, "", -ECONNRESET, -ECONNRESET },
		{ TOY_FRAMES, "e", 0, 0 },
		{ TOY_FRAMES, "o", 0, -ECONNRESET },
		{ TOY_FRAMES, "d", -ETIMEDOUT, -ETIMEDOUT },
		{ TOY_FIRST, "", 0, -ECONNRESET },
		{ TOY_SECOND, "", -EIO, -EIO },
		{ TOY_SECOND, "h", 0, -ECONNRESET },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin(rows[i].kind);
		ask();
		if (rows[i].bytes[0])
			end_feed(&e, rows[i].bytes, (int)strlen(rows[i].bytes));
		if (end_reads(&e))
			end_feed(&e, NULL, rows[i].below);
		expect_end(rows[i].result);
		cr_assert_eq(stream_take(s, &(struct chunk *){ NULL }),
			rows[i].result);
		stream_close(&s, false);
		end_take(&e, 1); /* of a word that was on its way */
		end_take(&e, 1);
		script_run(world_loop);
		cr_assert_eq(pool_used(layers), 0, "row %zu", i);
	}
}

/* --- failures --- */

/* All that was good is read, then the failure, and the peer is told why. */
Test(layer, broken_rules)
{
	struct chunk_queue q = { 0 };

	begin(TOY_FRAMES);
	chunk_queue_push(&q, chunk_copy((const uint8_t *)"d\1" A, 3));
	chunk_queue_push(&q, chunk_copy((const uint8_t *)"?" ABC, 4));
	stream_unread_all(e.stream, &q);
	ask();
	expect("a");
	cr_assert_str_eq(layer_trouble(s), "no toy");
	cr_assert_str_eq(stream_trouble(s), "no toy");
	ask();
	expect_end(-EPROTO);
	cr_assert_eq(world_counters.value[COUNTER_layers_broken], 1);
	say("hello");
	leaves("a");
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, -EPROTO);
	cr_assert_eq(stream_finish(s), -EPIPE);
}

/* Nobody reads or writes: the alert goes out all the same, and once. */
Test(layer, alert_of_a_handshake)
{
	begin(TOY_SECOND);
	feed("?");
	leaves("a");
	cr_assert_not(sends());
	ask();
	expect_end(-EPROTO);
	cr_assert_eq(world_counters.value[COUNTER_layers_broken], 0);
}

/* A reader and a writer wait for a handshake that fails. */
Test(layer, both_are_told)
{
	begin(TOY_FIRST);
	ask();
	say("hello");
	leaves("h");
	feed("?");
	expect_end(-EPROTO);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, -EPROTO);
	leaves("a");
}

/* The owner cuts at once; the alert is on its way, and below ends cleanly. */
Test(layer, alert_before_a_cut)
{
	char byte;

	begin(TOY_FRAMES);
	ask();
	feed("?");
	expect_end(-EPROTO);
	stream_close(&s, true);
	cr_assert_eq(pool_used(layers), 1);
	cr_assert_eq(recv(e.peer, &byte, 1, 0), -1);
	leaves("a");
	cr_assert_eq(pool_used(layers), 0);
}

Test(layer, seal_fails)
{
	begin(TOY_FRAMES);
	ask();
	toy_seal_fails = true;
	say("hello");
	cr_assert_eq(writes, 0);
	script_run(world_loop);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, -EPROTO);
	expect_end(-EPROTO);
	leaves("a");
}

Test(layer, below_takes_nothing)
{
	begin(TOY_FRAMES);
	say("hello");
	end_take(&e, -EPIPE);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, -EPIPE);
	say("hello");
	cr_assert_eq(writes, 0);
	script_run(world_loop);
	cr_assert_eq(writes, 1);
	cr_assert_eq(sent_result, -EPIPE);
	/* What came before is read. */
	ask();
	feed("pd\3" ABC);
	expect("abc");
	cr_assert_not(sends());
	cr_assert_eq(stream_finish(s), -EPIPE);
}

Test(layer, below_takes_nothing_of_a_handshake)
{
	begin(TOY_FIRST);
	ask();
	end_take(&e, -ECONNRESET);
	expect_end(-ECONNRESET);
}

/* --- closed in every phase --- */

static void nothing(void)
{
}

static void asked(void)
{
	ask();
}

static void asked_and_left(void)
{
	ask();
	stream_leave_reading(s);
}

static void wrote(void)
{
	say("hello");
}

static void wrote_some(void)
{
	say("hello");
	end_take(&e, 1);
}

static void answering(void)
{
	ask();
	feed("p");
}

static void unread(void)
{
	asked_and_left();
	feed("d\3" ABC "p");
}

static void finished(void)
{
	cr_assert_eq(stream_finish(s), 0);
}

static void broken(void)
{
	ask();
	feed("?");
}

Test(layer, closed_in_every_phase)
{
	static const struct {
		enum toy_kind kind;
		void (*phase)(void);
		const char *clean, *cut; /* what still leaves */
	} rows[] = {
		{ TOY_FRAMES, nothing, "e", "" },
		{ TOY_PLAIN, nothing, "", "" },
		{ TOY_FIRST, nothing, "h", "" },
		{ TOY_SECOND, nothing, "", "" },
		{ TOY_SECOND, asked, "", "" },
		{ TOY_SECOND, wrote, "", "" },
		{ TOY_FIRST, finished, "h", "" },
		{ TOY_FRAMES, asked, "e", "" },
		{ TOY_FRAMES, asked_and_left, "e", "" },
		{ TOY_FRAMES, wrote, "", "" },
		{ TOY_FRAMES, wrote_some, "", "" },
		{ TOY_FRAMES, answering, "oe", "" },
		{ TOY_FRAMES, unread, "oe", "" },
		{ TOY_FRAMES, finished, "e", "" },
		{ TOY_FRAMES, broken, "a", "a" },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		bool cut = i % 2;
		char left[8] = "";
		struct script_op *op;

		begin(rows[i / 2].kind);
		rows[i / 2].phase();
		stream_close(&s, cut);
		while ((op = script_find(OP_SEND, e.fd)) && !op->cancelled) {
			strncat(left, op->args.data, op->args.size);
			end_take(&e, (int)op->args.size);
		}
		script_run(world_loop);
		cr_assert_eq(pool_used(layers), 0, "row %zu", i / 2);
		cr_assert_eq(pool_used(world_streams), 0);
		cr_assert_str_eq(left,
			cut ? rows[i / 2].cut : rows[i / 2].clean,
			"row %zu, cut %d: %s", i / 2, cut, left);
		cr_assert_eq(toys, 0);
	}
}

Test(layer, last_words_that_nobody_takes)
{
	begin(TOY_FRAMES);
	stream_close(&s, false);
	script_pass(world_loop, LAYER_PATIENCE - CLOCK_MS);
	cr_assert_eq(pool_used(layers), 1);
	script_pass(world_loop, 2 * CLOCK_MS);
	cr_assert_eq(pool_used(layers), 0);
	begin(TOY_FRAMES);
	stream_close(&s, false);
	layers_cut(layers);
	cr_assert_eq(pool_used(layers), 0);
}

Test(layer, last_words_that_cannot_be_sealed)
{
	begin(TOY_FRAMES);
	toy_seal_fails = true;
	stream_close(&s, false);
	cr_assert_eq(pool_used(layers), 0);
	cr_assert_not(sends());
}

/* The owner closes inside what it is called for. */
static void closing_received(struct stream_reader *r, struct chunk *c, int n)
{
	received(r, c, n);
	stream_close(&s, true);
}

static void closing_sent(struct stream_writer *w, struct chunk *c, int result)
{
	sent(w, c, result);
	stream_close(&s, false);
}

Test(layer, closed_inside_a_callback)
{
	struct stream_reader r = { closing_received };
	struct stream_writer w = { closing_sent };

	begin(TOY_FRAMES);
	stream_read(s, &r);
	feed("pd\3" ABC "p");
	expect("abc");
	cr_assert_eq(pool_used(layers), 0);
	begin(TOY_FRAMES);
	stream_write(s, chunk_copy((const uint8_t *)"a", 1), false, &w);
	leaves("d\1\x34");
	leaves("e");
	cr_assert_eq(pool_used(layers), 0);
	begin(TOY_SECOND);
	stream_read(s, &r);
	stream_write(s, chunk_copy((const uint8_t *)"a", 1), false, &w);
	feed("?");
	leaves("a");
	cr_assert_eq(pool_used(layers), 0);
}
