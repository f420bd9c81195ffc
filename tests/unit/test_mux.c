/* SPDX-License-Identifier: Apache-2.0 */

/* A mux and its streams: what goes out for what comes in, and how all ends. */
// links: common/relay/mux.c common/relay/mux_in.c common/relay/mux_out.c common/relay/mux_stream.c common/relay/mux_hold.c common/relay/mux_table.c common/wire/yamux.c common/wire/yamux_window.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c common/crypto/random.c tests/double/script.c tests/double/streams.c
// libs: boringssl

#include "common/relay/mux.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/double/streams.h"

#define HELD (1024 * 1024)

/* Who has a stream of the mux. */
struct user {
	struct stream *stream;
	struct stream_reader reader;
	struct stream_writer writer;
	char got[4096];
	size_t size;
	int end; /* 1: it goes on */
	int sent, sent_result;
	bool reads_on, closes_when_read, closes_all;
};

static struct muxes all;
static struct mux *m;
static struct end e;
static struct user users[512];
static unsigned accepted_count, refuse_from;
static int ended_count, ended_result;
static const char *ended_why;
static bool closes_in_ended;

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	struct user *u = container_of(r, struct user, reader);

	if (c && u->size + chunk_length(c) <= sizeof(u->got))
		memcpy(u->got + u->size, chunk_bytes(c), chunk_length(c));
	if (c)
		u->size += chunk_length(c);
	else
		u->end = result;
	chunk_give(c);
	if (u->closes_all)
		mux_close(&m);
	if (u->closes_when_read)
		stream_close(&u->stream, true);
	else if (c && u->reads_on)
		stream_read(u->stream, r);
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	struct user *u = container_of(w, struct user, writer);

	u->sent++;
	u->sent_result = result;
	chunk_give(c);
}

static void take_on(struct user *u, struct stream *s)
{
	*u = (struct user){ .stream = s,
		.reader = { received },
		.writer = { sent },
		.end = 1 };
}

static void accepted(struct mux *mux, struct stream *s)
{
	cr_assert_eq(mux, m);
	if (accepted_count >= refuse_from) {
		stream_close(&s, true);
		return;
	}
	take_on(&users[accepted_count++], s);
}

static void ended(struct mux *mux, int result, const char *why)
{
	cr_assert_eq(mux, m);
	ended_count++;
	ended_result = result;
	ended_why = why;
	if (closes_in_ended)
		mux_close(&m);
}

static void begin(bool accepts)
{
	world_begin();
	accepted_count = 0;
	refuse_from = ARRAY_SIZE(users);
	ended_count = 0;
	closes_in_ended = false;
	memset(users, 0, sizeof(users));
	all = (struct muxes){ .loop = world_loop,
		.pool = pool_create(sizeof(struct mux), 2),
		.streams = pool_create(sizeof(struct mux_stream), 600),
		.streams_max = 500,
		.held_max = HELD,
		.window_max = YAMUX_WINDOW_MAX,
		.ping = MUX_PING_USUAL,
		.accepted = accepts ? accepted : NULL,
		.ended = ended };
	e = end_open();
	m = mux_open(&all, e.stream);
	cr_assert_not_null(m);
	script_run(world_loop);
}

/* What the connection has sent and the test has not looked at. */
static uint8_t out[1024 * 1024];
static size_t out_size, out_at;

/* The connection takes all that it is given. */
static void flow(void)
{
	struct script_op *s;

	script_run(world_loop);
	while ((s = script_find(OP_SEND, e.fd))) {
		if (out_at == out_size)
			out_at = out_size = 0;
		cr_assert(out_size + s->args.size <= sizeof(out));
		memcpy(out + out_size, s->args.data, s->args.size);
		out_size += s->args.size;
		end_take(&e, (int)s->args.size);
	}
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		stream_close(&users[i].stream, true);
	mux_close(&m);
	flow();
	out_at = out_size = 0;
	world_end();
	cr_assert_eq(pool_used(all.pool), 0);
	cr_assert_eq(pool_used(all.streams), 0);
	pool_destroy(&all.pool);
	pool_destroy(&all.streams);
}

static void setup_server(void)
{
	begin(true);
}

static void setup_client(void)
{
	begin(false);
}

TestSuite(mux_server, .init = setup_server, .fini = teardown);
TestSuite(mux_client, .init = setup_client, .fini = teardown);

/* The next frame that has gone is this one. */
static void leaves(int type, int flags, uint32_t id, uint32_t length)
{
	struct yamux_frame f;

	flow();
	cr_assert(out_size - out_at >= YAMUX_HEADER, "nothing is sent");
	cr_assert_eq(yamux_decode(&f, out + out_at), 0);
	out_at += YAMUX_HEADER;
	cr_assert(f.type == type && f.flags == flags && f.id == id &&
			  f.length == length,
		"sent is [%d %d %u %u], not [%d %d %u %u]", f.type, f.flags,
		f.id, f.length, type, flags, id, length);
}

static void leaves_data(uint32_t id, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);

	leaves(YAMUX_DATA, 0, id, n);
	cr_assert(!memcmp(out + out_at, text, n));
	out_at += n;
}

static void leaves_nothing(void)
{
	flow();
	cr_assert_eq(out_size, out_at);
}

/* Bytes arrive. */
static void feed(const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size > 0 && m && m->state == MUX_OPEN) {
		size_t n = size < 1024 ? size : 1024;

		end_feed(&e, p, (int)n);
		p += n;
		size -= n;
	}
}

static void feed_frame(int type, int flags, uint32_t id, uint32_t length)
{
	struct yamux_frame f = { (uint8_t)type, (uint16_t)flags, id, length };
	uint8_t h[YAMUX_HEADER];

	yamux_encode(h, &f);
	feed(h, sizeof(h));
}

static void feed_data(uint32_t id, const char *text)
{
	char bytes[1024];
	struct yamux_frame f = { YAMUX_DATA, 0, id, (uint32_t)strlen(text) };

	yamux_encode((uint8_t *)bytes, &f);
	memcpy(bytes + YAMUX_HEADER, text, f.length);
	feed(bytes, YAMUX_HEADER + f.length);
}

/* So many bytes of payload. */
static void feed_bulk(uint32_t id, uint32_t size)
{
	static const char zeros[1024];

	feed_frame(YAMUX_DATA, 0, id, size);
	while (size > 0) {
		uint32_t n = size < 1024 ? size : 1024;

		feed(zeros, n);
		size -= n;
	}
}

/* A stream that the peer has opened. */
static struct user *open_one(uint32_t id)
{
	struct user *u = &users[accepted_count];

	feed_frame(YAMUX_CREDIT, YAMUX_SYN, id, YAMUX_FIRST_DELTA);
	cr_assert_not_null(u->stream);
	leaves(YAMUX_CREDIT, YAMUX_ACK, id, 0);
	return u;
}

static void read_once(struct user *u)
{
	struct chunk *c;
	int n = stream_take(u->stream, &c);

	if (n == -EAGAIN)
		stream_read(u->stream, &u->reader);
	else
		received(&u->reader, c, n);
}

static void read_all(struct user *u)
{
	struct chunk *c;
	int n = 1;

	while (n > 0) {
		n = stream_take(u->stream, &c);
		if (n != -EAGAIN)
			received(&u->reader, c, n);
	}
}

#define expect(u, text)                                        \
	do {                                                   \
		cr_assert_eq((u)->size, strlen(text));         \
		cr_assert(!memcmp((u)->got, text, (u)->size)); \
		(u)->size = 0;                                 \
	} while (0)

static void say(struct user *u, const char *text)
{
	struct chunk *c = chunk_take(world_loop->chunks);

	c->to = (uint32_t)strlen(text);
	memcpy(c->data, text, c->to);
	stream_write(u->stream, c, false, &u->writer);
}

static void say_bulk(struct user *u, uint32_t size)
{
	struct chunk *c = chunk_from_heap(size);

	memset(c->data, 'b', size);
	c->to = size;
	stream_write(u->stream, c, false, &u->writer);
}

static void expect_ended(int result, const char *why)
{
	script_run(world_loop);
	cr_assert_eq(ended_count, 1, "it goes on");
	cr_assert_eq(ended_result, result);
	cr_assert_str_eq(ended_why, why);
}

/* --- one stream --- */

/* FRP-PROTOCOL's own example: SYN, data; ACK, data. */
Test(mux_server, a_login)
{
	struct user *u = &users[0];

	feed("\0\1\0\1\0\0\0\1\0\x5c\0\0\0\0\0\0\0\0\0\1\0\0\0\5hello", 29);
	leaves(YAMUX_CREDIT, YAMUX_ACK, 1, 0);
	leaves_nothing();
	read_once(u);
	expect(u, "hello");
	say(u, "yes");
	leaves_data(1, "yes");
	cr_assert_eq(u->sent, 1);
	cr_assert_eq(u->sent_result, 0);
	cr_assert_eq(stream_descriptor(u->stream), e.fd);
}

Test(mux_server, every_frame_in_any_pieces)
{
	static const char in[] = "\0\1\0\1\0\0\0\1\0\x5c\0\0"
				 "\0\0\0\0\0\0\0\1\0\0\0\5hello"
				 "\0\0\0\1\0\0\0\3\0\0\0\2yo"
				 "\0\2\0\1\0\0\0\0\0\0\0\7"
				 "\0\0\0\4\0\0\0\1\0\0\0\1!"
				 "\0\0\0\0\0\0\0\x9\0\0\0\4none"
				 "\0\1\0\4\0\0\0\3\0\0\0\0";

	for (size_t cut = 0; cut < sizeof(in); cut++) {
		if (cut > 0) {
			teardown();
			begin(true);
		}
		/* Cut once; the last time after each byte. */
		for (size_t i = 0; cut == 0 && i < sizeof(in) - 1; i++)
			feed(in + i, 1);
		feed(in, cut);
		feed(in + cut, cut ? sizeof(in) - 1 - cut : 0);
		cr_assert_eq(accepted_count, 2);
		read_all(&users[0]);
		expect(&users[0], "hello!");
		cr_assert_eq(users[0].end, 0);
		read_all(&users[1]);
		expect(&users[1], "yo");
		cr_assert_eq(users[1].end, 0);
		cr_assert_eq(ended_count, 0);
	}
}

Test(mux_server, syn_on_data)
{
	feed("\0\0\0\1\0\0\0\1\0\0\0\2ab", 14);
	leaves(YAMUX_CREDIT, YAMUX_ACK, 1, 0);
	read_once(&users[0]);
	expect(&users[0], "ab");
}

Test(mux_server, who_waits_gets_the_bytes_at_once)
{
	struct user *u = open_one(1);

	u->reads_on = true;
	read_once(u);
	feed_data(1, "a");
	feed_data(1, "b");
	expect(u, "ab");
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(u->end, 0);
}

Test(mux_client, opens_without_waiting)
{
	struct user *u = &users[0];
	struct stream *s;

	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(u, s);
	say(u, "login");
	leaves(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	leaves_data(1, "login");
	read_once(u);
	feed_frame(YAMUX_CREDIT, YAMUX_ACK, 1, YAMUX_FIRST_DELTA);
	feed_data(1, "welcome");
	expect(u, "welcome");
	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[1], s);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 3, 0);
	cr_assert_eq(mux_streams(m), 2);
}

/* --- ends --- */

Test(mux_server, both_ends_half_close)
{
	struct user *u = open_one(1);

	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	read_once(u);
	cr_assert_eq(u->end, 0);
	say(u, "more");
	leaves_data(1, "more");
	cr_assert_eq(stream_finish(u->stream), 0);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(mux_streams(m), 0);
	stream_close(&u->stream, false);
	leaves_nothing();
	cr_assert_eq(pool_used(all.streams), 0);
}

Test(mux_server, what_came_before_the_end_is_read)
{
	struct user *u = open_one(1);

	feed_data(1, "last");
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(stream_finish(u->stream), 0);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(mux_streams(m), 0);
	/* The id may be used again: it is another stream then. */
	open_one(1);
	read_all(u);
	expect(u, "last");
	cr_assert_eq(u->end, 0);
}

Test(mux_server, a_close_waits_for_the_peer)
{
	struct user *u = open_one(1);

	stream_close(&u->stream, false);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	feed_data(1, "late");
	cr_assert_eq(mux_streams(m), 1);
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(mux_streams(m), 0);
	cr_assert_eq(pool_used(all.streams), 0);
	leaves_nothing();
}

Test(mux_server, but_not_for_ever)
{
	struct user *u = open_one(1), *v = open_one(3);

	stream_close(&u->stream, false);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	script_pass(world_loop, MUX_CLOSE_TIME / 2);
	stream_close(&v->stream, false);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 3, 0);
	script_pass(world_loop, MUX_CLOSE_TIME / 2);
	leaves(YAMUX_PING, YAMUX_SYN, 0, 1);
	feed_frame(YAMUX_PING, YAMUX_ACK, 0, 1);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	leaves_nothing();
	script_pass(world_loop, MUX_CLOSE_TIME / 2);
	flow();
	cr_assert_eq(mux_streams(m), 0);
	cr_assert_eq(pool_used(all.streams), 0);
}

Test(mux_server, a_cut_is_a_reset)
{
	struct user *u = open_one(1);

	feed_data(1, "unread");
	stream_close(&u->stream, true);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	cr_assert_eq(pool_used(all.streams), 0);
	feed_data(1, "late");
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	leaves_nothing();
	cr_assert_eq(ended_count, 0);
}

Test(mux_server, a_reset_drops_what_was_not_read)
{
	struct user *u = open_one(1), *v = open_one(3);

	feed_data(1, "unread");
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	read_all(u);
	cr_assert_eq(u->size, 0);
	cr_assert_eq(u->end, -ECONNRESET);
	read_once(v);
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	cr_assert_eq(v->end, -ECONNRESET);
	/* Who writes hears so too. */
	say(v, "x");
	script_run(world_loop);
	cr_assert_eq(v->sent_result, -ECONNRESET);
	cr_assert_eq(stream_finish(u->stream), -EPIPE);
	stream_close(&v->stream, true);
	leaves_nothing();
}

Test(mux_server, a_reset_while_the_bytes_are_going_out)
{
	struct user *u = open_one(1), *v = open_one(3);

	/* One in a chunk of its own, one copied, one that waits. */
	say_bulk(u, 5000);
	say(v, "small");
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	cr_assert_eq(u->sent, 0);
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	cr_assert_eq(v->sent, 1);
	cr_assert_eq(v->sent_result, -ECONNRESET);
	leaves(YAMUX_DATA, 0, 1, 5000);
	out_at = out_size;
	cr_assert_eq(u->sent_result, -ECONNRESET);
	leaves_nothing();
}

Test(mux_server, a_close_while_the_bytes_are_going_out)
{
	struct user *u = open_one(1), *v = open_one(3), *w = open_one(5);

	say_bulk(u, 5000);
	say(v, "small");
	say(w, "small");
	stream_close(&u->stream, false);
	stream_close(&v->stream, false);
	cr_assert_eq(pool_used(all.streams), 3);
	leaves(YAMUX_DATA, 0, 1, 5000);
	out_at += 5000;
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	leaves_data(5, "small");
	cr_assert_eq(pool_used(all.streams), 1);
}

Test(mux_server, closed_by_its_own_reader)
{
	struct user *u = open_one(1);

	u->closes_when_read = true;
	read_once(u);
	feed("\0\0\0\0\0\0\0\1\0\0\0\2ab\0\0\0\0\0\0\0\1\0\0\0\2cd", 28);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	cr_assert_eq(pool_used(all.streams), 0);
}

/* --- windows --- */

Test(mux_server, a_writer_waits_for_credit)
{
	struct user *u = &users[0], *v;

	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	leaves(YAMUX_CREDIT, YAMUX_ACK, 1, 0);
	say_bulk(u, YAMUX_WINDOW + 1000);
	for (uint32_t i = 0; i < YAMUX_WINDOW / MUX_FRAME_MAX; i++) {
		leaves(YAMUX_DATA, 0, 1, MUX_FRAME_MAX);
		out_at += MUX_FRAME_MAX;
	}
	leaves_nothing();
	cr_assert_eq(u->sent, 0);
	/* Nobody else does. */
	v = open_one(3);
	say(v, "free");
	leaves_data(3, "free");
	feed_frame(YAMUX_CREDIT, 0, 1, 10);
	leaves(YAMUX_DATA, 0, 1, 10);
	out_at += 10;
	feed_frame(YAMUX_CREDIT, 0, 1, UINT32_MAX);
	feed_frame(YAMUX_CREDIT, 0, 1, UINT32_MAX);
	leaves(YAMUX_DATA, 0, 1, 990);
	cr_assert(out[out_at] == 'b' && out[out_at + 989] == 'b');
	out_at += 990;
	cr_assert_eq(u->sent, 1);
	cr_assert_eq(u->sent_result, 0);
}

Test(mux_server, the_window_is_renewed_and_grows)
{
	struct user *u = open_one(1);

	u->reads_on = true;
	read_once(u);
	feed_bulk(1, YAMUX_WINDOW / 2);
	leaves(YAMUX_CREDIT, 0, 1, YAMUX_WINDOW / 2 + YAMUX_WINDOW);
	feed_bulk(1, YAMUX_WINDOW - 1);
	leaves_nothing();
	feed_bulk(1, 1);
	/* Half of what may be held is for windows beyond the first size. */
	leaves(YAMUX_CREDIT, 0, 1, YAMUX_WINDOW + YAMUX_WINDOW);
	cr_assert_eq(m->grown, HELD / 2);
	feed_bulk(1, YAMUX_WINDOW * 3 / 2);
	leaves(YAMUX_CREDIT, 0, 1, YAMUX_WINDOW * 3 / 2);
	stream_close(&u->stream, true);
	cr_assert_eq(m->grown, 0);
}

Test(mux_server, a_slow_reader_gets_no_more)
{
	struct user *u = open_one(1), *v = open_one(3);

	v->reads_on = true;
	read_once(v);
	feed_bulk(1, YAMUX_WINDOW);
	leaves_nothing();
	/* The others do not feel it. */
	feed_data(3, "quick");
	expect(v, "quick");
	cr_assert(m->held >= YAMUX_WINDOW);
	while (u->size < YAMUX_WINDOW / 2)
		read_once(u);
	/* Granted while much is still unread: the window does not grow. */
	leaves(YAMUX_CREDIT, 0, 1, u->size);
	leaves_nothing();
	cr_assert_eq(m->grown, 0);
	read_all(u);
	cr_assert_eq(u->size, YAMUX_WINDOW);
	cr_assert_eq(m->held, 0);
}

static uint32_t put_data(
	uint8_t *at, unsigned flags, uint32_t id, const char *text)
{
	struct yamux_frame f = { .type = YAMUX_DATA,
		.flags = (uint16_t)flags,
		.id = id,
		.length = (uint32_t)strlen(text) };

	yamux_encode(at, &f);
	memcpy(at + YAMUX_HEADER, text, f.length);
	return YAMUX_HEADER + f.length;
}

Test(mux_server, frames_of_one_stream_are_one_read)
{
	struct user *u = open_one(1), *v = open_one(3);
	uint8_t bytes[200];
	uint32_t n = 0;

	read_once(u);
	read_once(v);
	n += put_data(bytes + n, 0, 1, "one, ");
	n += put_data(bytes + n, 0, 1, "");
	n += put_data(bytes + n, 0, 1, "two");
	n += put_data(bytes + n, 0, 3, "another");
	n += put_data(bytes + n, 0, 3, "'s");
	n += put_data(bytes + n, YAMUX_FIN, 1, " and an end");
	feed(bytes, n);
	/* Each has asked once. */
	expect(u, "one, two");
	expect(v, "another's");
	read_all(u);
	expect(u, " and an end");
	cr_assert_eq(u->end, 0);
	/* What nobody has asked for, with a part of the next. */
	n = put_data(bytes, 0, 3, "half");
	n += put_data(bytes + n, 0, 3, "quarter");
	feed(bytes, n - 4);
	read_all(v);
	expect(v, "halfqua");
	feed(bytes + n - 4, 4);
	read_all(v);
	expect(v, "rter");
}

Test(mux_server, small_pieces_are_put_together)
{
	struct user *u = open_one(1);

	for (int i = 0; i < 1000; i++)
		feed_data(1, "x");
	cr_assert(m->held <= 4096, "%u", m->held);
	cr_assert(chunk_pool_used(world_loop->chunks) == 0);
	read_all(u);
	cr_assert_eq(u->size, 1000);
}

Test(mux_server, above_the_bound_who_holds_most_is_cut)
{
	struct user *small = open_one(1);

	feed_data(1, "small");
	for (uint32_t id = 3; id <= 9; id += 2)
		open_one(id);
	for (uint32_t id = 3; id <= 9; id += 2)
		feed_bulk(id, YAMUX_WINDOW);
	cr_assert_eq(world_counters.value[COUNTER_mux_overflows], 1);
	cr_assert(m->held <= HELD);
	leaves(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	read_all(&users[1]);
	cr_assert_eq(users[1].size, 0);
	cr_assert_eq(users[1].end, -ECONNRESET);
	read_all(small);
	expect(small, "small");
	cr_assert_eq(ended_count, 0);
}

/* The peer is done with it, but its bytes are still here. */
Test(mux_server, above_the_bound_even_what_has_ended_is_cut)
{
	struct user *u = open_one(1);

	all.held_max = YAMUX_WINDOW + 100000;
	feed_bulk(1, YAMUX_WINDOW);
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert_eq(stream_finish(u->stream), 0);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	open_one(3);
	feed_bulk(3, 200000);
	leaves_nothing();
	read_all(u);
	cr_assert_eq(u->end, -ECONNRESET);
	cr_assert_eq(world_counters.value[COUNTER_mux_overflows], 1);
	cr_assert_eq(mux_streams(m), 1);
}

/* --- sending in turn --- */

Test(mux_server, one_frame_each_in_turn)
{
	struct user *u = open_one(1), *v = open_one(3);

	say_bulk(u, 3 * MUX_FRAME_MAX);
	say_bulk(v, 2 * MUX_FRAME_MAX);
	for (int i = 0; i < 5; i++) {
		leaves(YAMUX_DATA, 0, i % 2 ? 3 : 1, MUX_FRAME_MAX);
		out_at += MUX_FRAME_MAX;
	}
	cr_assert_eq(u->sent, 1);
	cr_assert_eq(v->sent, 1);
}

Test(mux_server, small_frames_go_in_one_write)
{
	struct script_op *op;

	for (uint32_t id = 1; id <= 9; id += 2)
		open_one(id);
	say(&users[0], "first");
	for (int i = 1; i < 5; i++)
		say(&users[i], "yes");
	end_take(&e, YAMUX_HEADER + 5);
	op = script_find(OP_SEND, e.fd);
	cr_assert_not_null(op);
	cr_assert_eq(op->args.size, 4 * (YAMUX_HEADER + 3));
	for (uint32_t id = 3; id <= 9; id += 2)
		leaves_data(id, "yes");
	for (int i = 0; i < 5; i++)
		cr_assert_eq(users[i].sent, 1);
}

Test(mux_server, a_write_in_any_pieces)
{
	struct user *u = open_one(1);
	struct script_op *op;
	uint32_t n = 0;

	say_bulk(u, 5000);
	while ((op = script_find(OP_SEND, e.fd))) {
		uint32_t size = op->args.size < 100 ? op->args.size : 100;

		end_take(&e, (int)size);
		n += size;
	}
	cr_assert_eq(n, YAMUX_HEADER + 5000);
	cr_assert_eq(u->sent, 1);
}

/* What follows at once goes in the same segment. */
Test(mux_server, the_connection_is_told_what_follows)
{
	struct user *u = open_one(1), *v = open_one(3);
	struct chunk *c = chunk_copy((const uint8_t *)"bye", 3);

	stream_write(u->stream, c, true, &u->writer);
	say_bulk(v, MUX_FRAME_MAX + 1);
	cr_assert(script_find(OP_SEND, e.fd)->args.more);
	end_take(&e, YAMUX_HEADER + 3);
	cr_assert_eq(stream_finish(u->stream), 0);
	/* The rest of its bytes is not ready while the first go out. */
	cr_assert(!script_find(OP_SEND, e.fd)->args.more);
	leaves(YAMUX_DATA, 0, 3, MUX_FRAME_MAX);
	out_at += MUX_FRAME_MAX;
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	leaves(YAMUX_DATA, 0, 3, 1);
	out_at++;
}

/* --- limits --- */

Test(mux_server, buffers_are_short)
{
	struct user *u = open_one(1);
	struct chunk *hoard[31];

	u->reads_on = true;
	read_once(u);
	for (size_t i = 0; i < ARRAY_SIZE(hoard); i++) {
		hoard[i] = chunk_take(world_loop->chunks);
		cr_assert_not_null(hoard[i]);
	}
	feed("\0\0\0\0\0\0\0\1\0\0\0\2ab\0\2\0\1\0\0\0\0\0\0\0\5"
	     "\0\0\0\0\0\0\0\1\0\0\0\1c",
		39);
	expect(u, "abc");
	leaves(YAMUX_PING, YAMUX_ACK, 0, 5);
	for (size_t i = 0; i < ARRAY_SIZE(hoard); i++)
		chunk_give(hoard[i]);
}

Test(mux_server, too_many_streams_are_refused)
{
	m->all->streams_max = 2;
	open_one(1);
	open_one(3);
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 5, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 5, 0);
	feed_data(5, "for nobody");
	stream_close(&users[0].stream, true);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	open_one(7);
	cr_assert_eq(world_counters.value[COUNTER_mux_streams_refused], 1);
}

Test(mux_server, opened_and_ended_in_one_frame)
{
	feed_frame(YAMUX_CREDIT, YAMUX_SYN | YAMUX_RST, 1, 0);
	cr_assert_eq(accepted_count, 1);
	read_all(&users[0]);
	cr_assert_eq(users[0].end, -ECONNRESET);
	feed("\0\0\0\5\0\0\0\3\0\0\0\2ab", 14);
	read_all(&users[1]);
	expect(&users[1], "ab");
	cr_assert_eq(users[1].end, 0);
	leaves(YAMUX_CREDIT, YAMUX_ACK, 3, 0);
	leaves_nothing();
	cr_assert_eq(m->unaccepted, 0);
}

Test(mux_server, no_memory_for_a_stream)
{
	struct pool *few = all.streams;

	all.streams = pool_create(sizeof(struct mux_stream), 1);
	open_one(1);
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 3, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	stream_close(&users[0].stream, true);
	cr_assert_eq(pool_used(all.streams), 0);
	pool_destroy(&all.streams);
	all.streams = few;
}

Test(mux_server, refused_by_who_accepts)
{
	refuse_from = 0;
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	leaves_nothing();
	cr_assert_eq(pool_used(all.streams), 0);
}

/* The connection takes nothing: the ACKs that are due are bounded. */
Test(mux_server, a_backlog_is_refused)
{
	struct user *u = open_one(1);

	say(u, "stuck");
	for (uint32_t i = 0; i < YAMUX_BACKLOG + 2; i++)
		feed_frame(YAMUX_CREDIT, YAMUX_SYN, 2 * i + 3, 0);
	cr_assert_eq(m->unaccepted, YAMUX_BACKLOG);
	cr_assert_eq(mux_streams(m), YAMUX_BACKLOG + 1);
	leaves_data(1, "stuck");
	leaves(YAMUX_CREDIT, YAMUX_RST, 2 * YAMUX_BACKLOG + 3, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 2 * YAMUX_BACKLOG + 5, 0);
	for (uint32_t i = 0; i < YAMUX_BACKLOG; i++)
		leaves(YAMUX_CREDIT, YAMUX_ACK, 2 * i + 3, 0);
	cr_assert_eq(m->unaccepted, 0);
}

Test(mux_server, a_flood_of_pings_ends_it)
{
	struct user *u = open_one(1);

	say(u, "stuck");
	for (uint32_t i = 0; i < 200 && m->state == MUX_OPEN; i++)
		feed_frame(YAMUX_PING, YAMUX_SYN, 0, i);
	expect_ended(-ENOBUFS, "the peer asks more than it reads answers");
	/* The write in flight fails, as the connection is shut down. */
	cr_assert_eq(u->sent, 0);
	end_take(&e, -EPIPE);
	cr_assert_eq(u->sent_result, -EPIPE);
}

Test(mux_client, only_so_many_syns_are_out)
{
	struct stream *s;

	for (int i = 0; i < YAMUX_BACKLOG + 2; i++) {
		cr_assert_eq(mux_open_stream(m, &s), 0);
		take_on(&users[i], s);
	}
	say(&users[YAMUX_BACKLOG], "wait");
	cr_assert_eq(stream_finish(users[YAMUX_BACKLOG + 1].stream), 0);
	for (uint32_t i = 0; i < YAMUX_BACKLOG; i++)
		leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * i + 1, 0);
	leaves_nothing();
	/* An answer, whichever, makes room. */
	feed_frame(YAMUX_CREDIT, YAMUX_ACK, 5, 0);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * YAMUX_BACKLOG + 1, 0);
	leaves_data(2 * YAMUX_BACKLOG + 1, "wait");
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 7, 0);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * YAMUX_BACKLOG + 3, 0);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 2 * YAMUX_BACKLOG + 3, 0);
	leaves_nothing();
}

Test(mux_client, a_stream_that_nobody_heard_of_is_withdrawn)
{
	struct stream *s;

	for (int i = 0; i < YAMUX_BACKLOG + 1; i++) {
		cr_assert_eq(mux_open_stream(m, &s), 0);
		take_on(&users[i], s);
	}
	say(&users[YAMUX_BACKLOG], "never");
	stream_close(&users[YAMUX_BACKLOG].stream, true);
	for (uint32_t i = 0; i < YAMUX_BACKLOG; i++)
		leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * i + 1, 0);
	leaves_nothing();
	cr_assert_eq(pool_used(all.streams), YAMUX_BACKLOG);
}

Test(mux_client, any_frame_is_an_answer)
{
	static const int flags[] = { 0, YAMUX_FIN };
	struct stream *s;

	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(mux_open_stream(m, &s), 0);
		take_on(&users[i], s);
		cr_assert_eq(stream_finish(s), 0);
		leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * i + 1, 0);
		leaves(YAMUX_CREDIT, YAMUX_FIN, 2 * i + 1, 0);
		cr_assert_eq(m->opening, 1);
		feed_frame(YAMUX_CREDIT, flags[i], 2 * i + 1, 0);
		cr_assert_eq(m->opening, 0);
	}
}

Test(mux_client, a_peer_that_answers_before_it_was_asked)
{
	struct stream *s;

	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[0], s);
	/* Its SYN waits for the write of the first one's. */
	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[1], s);
	cr_assert_eq(stream_finish(s), 0);
	feed_data(3, "early");
	feed_frame(YAMUX_CREDIT, YAMUX_ACK | YAMUX_FIN, 3, 0);
	feed_frame(YAMUX_CREDIT, YAMUX_RST, 3, 0);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 3, 0);
	leaves(YAMUX_CREDIT, YAMUX_FIN, 3, 0);
	feed_data(3, "now");
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 3, 0);
	read_all(&users[1]);
	expect(&users[1], "now");
	cr_assert_eq(users[1].end, 0);
}

Test(mux_client, streams_have_a_limit)
{
	struct stream *s;

	m->all->streams_max = 1;
	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[0], s);
	cr_assert_eq(mux_open_stream(m, &s), -ENOBUFS);
	cr_assert_null(s);
	m->all->streams_max = 10;
	m->next_id = UINT32_MAX;
	cr_assert_eq(mux_open_stream(m, &s), -ENOBUFS);
}

/* --- life --- */

Test(mux_server, pings_are_answered)
{
	feed("\0\2\0\1\0\0\0\0\0\0\0\0\0\2\0\1\0\0\0\0\1\2\3\4", 24);
	leaves(YAMUX_PING, YAMUX_ACK, 0, 0);
	leaves(YAMUX_PING, YAMUX_ACK, 0, 0x01020304);
}

Test(mux_server, it_pings_and_goes_on)
{
	for (uint32_t i = 1; i < 5; i++) {
		script_pass(world_loop, MUX_PING_USUAL - 5 * CLOCK_SECOND);
		leaves_nothing();
		script_pass(world_loop, 5 * CLOCK_SECOND);
		leaves(YAMUX_PING, YAMUX_SYN, 0, i);
		feed_frame(YAMUX_PING, YAMUX_ACK, 0, i);
	}
	cr_assert_eq(ended_count, 0);
}

Test(mux_server, silence_ends_it)
{
	struct user *u = open_one(1);

	read_once(u);
	script_pass(world_loop, MUX_PING_USUAL);
	leaves(YAMUX_PING, YAMUX_SYN, 0, 1);
	feed_frame(YAMUX_PING, YAMUX_ACK, 0, 77);
	script_pass(world_loop, MUX_PONG_TIME - 1);
	cr_assert_eq(ended_count, 0);
	script_pass(world_loop, 1);
	expect_ended(-ETIMEDOUT, "the peer did not answer a ping");
	cr_assert_eq(u->end, -ECONNRESET);
}

Test(mux_server, other_bytes_excuse_a_late_answer)
{
	script_pass(world_loop, MUX_PING_USUAL);
	leaves(YAMUX_PING, YAMUX_SYN, 0, 1);
	for (int i = 0; i < 10; i++) {
		script_pass(world_loop, 5 * CLOCK_SECOND);
		feed_frame(YAMUX_CREDIT, 0, 99, 1);
	}
	cr_assert_eq(ended_count, 0);
	/* But not any more after a minute. */
	script_pass(world_loop, 5 * CLOCK_SECOND);
	feed_frame(YAMUX_CREDIT, 0, 99, 1);
	script_pass(world_loop, 5 * CLOCK_SECOND);
	expect_ended(-ETIMEDOUT, "the peer did not answer a ping");
}

Test(mux_client, a_stream_that_is_not_accepted_ends_it)
{
	struct stream *s;

	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[0], s);
	read_once(&users[0]);
	for (int64_t t = 0; t < MUX_OPEN_TIME - CLOCK_SECOND;
		t += CLOCK_SECOND) {
		flow();
		script_pass(world_loop, CLOCK_SECOND);
		if (m->pinging)
			feed_frame(YAMUX_PING, YAMUX_ACK, 0, m->ping_id);
	}
	cr_assert_eq(ended_count, 0);
	script_pass(world_loop, CLOCK_SECOND);
	expect_ended(-ETIMEDOUT, "the peer did not accept a stream");
	cr_assert_eq(users[0].end, -ECONNRESET);
	cr_assert_str_eq(stream_trouble(users[0].stream), ended_why);
}

/* --- what ends a session --- */

/* These frames end it, after GoAway or at once. */
static void breaks(bool bye, const char *why)
{
	if (bye) {
		leaves(YAMUX_GO_AWAY, 0, 0, YAMUX_BYE_PROTOCOL);
		expect_ended(-EPROTO, why);
	}
	leaves_nothing();
	cr_assert_eq(ended_count, 1);
	cr_assert_str_eq(ended_why, why);
	cr_assert_eq(m->state, MUX_GONE);
}

Test(mux_server, too_much_data)
{
	open_one(1);
	feed_bulk(1, YAMUX_WINDOW);
	feed_frame(YAMUX_DATA, 0, 1, 1);
	breaks(true, "the peer sent more than it was granted");
}

Test(mux_server, too_much_data_behind_some)
{
	struct user *u = open_one(1);
	uint8_t bytes[100];
	uint32_t n;

	feed_bulk(1, YAMUX_WINDOW - 5);
	n = put_data(bytes, 0, 1, "four");
	n += put_data(bytes + n, 0, 1, "more");
	feed(bytes, n);
	breaks(true, "the peer sent more than it was granted");
	read_all(u);
	cr_assert_eq(u->size, YAMUX_WINDOW - 1);
}

Test(mux_server, too_much_data_at_once)
{
	open_one(1);
	feed_frame(YAMUX_DATA, 0, 1, UINT32_MAX);
	breaks(true, "the peer sent more than it was granted");
}

Test(mux_server, open_twice)
{
	open_one(1);
	feed_frame(YAMUX_DATA, YAMUX_SYN, 1, 0);
	breaks(true, "the peer opened a stream that is open");
}

Test(mux_server, an_id_of_ours)
{
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 2, 0);
	breaks(true, "the peer opened a stream with an id of ours");
}

Test(mux_server, the_id_of_the_session)
{
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 0, 0);
	breaks(true, "the peer opened a stream with an id of ours");
}

Test(mux_client, a_server_opens_none)
{
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 2, 0);
	leaves(YAMUX_CREDIT, YAMUX_RST, 2, 0);
	feed_frame(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	breaks(true, "the peer opened a stream with an id of ours");
}

Test(mux_server, ended_twice)
{
	open_one(1);
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	breaks(true, "the peer ended a stream twice");
}

Test(mux_server, another_version)
{
	feed("\1\0\0\0\0\0\0\0\0\0\0\0", 12);
	breaks(false, "the peer does not speak yamux");
}

Test(mux_server, no_such_type)
{
	feed("\0\4\0\0\0\0\0\0\0\0\0\0", 12);
	breaks(false, "the peer does not speak yamux");
}

Test(mux_server, the_peer_says_that_we_are_wrong)
{
	feed_frame(YAMUX_GO_AWAY, 0, 0, YAMUX_BYE_PROTOCOL);
	breaks(false, "the peer says that we broke the rules");
}

Test(mux_server, the_peer_is_out_of_order)
{
	feed_frame(YAMUX_GO_AWAY, 0, 0, YAMUX_BYE_INTERNAL);
	breaks(false, "the peer had to go away");
}

Test(mux_server, the_peer_goes_away_for_no_known_reason)
{
	feed_frame(YAMUX_GO_AWAY, 0, 0, 7);
	breaks(false, "the peer had to go away");
}

Test(mux_client, the_peer_takes_no_more_streams)
{
	struct stream *s;

	cr_assert_eq(mux_open_stream(m, &s), 0);
	take_on(&users[0], s);
	leaves(YAMUX_CREDIT, YAMUX_SYN, 1, 0);
	feed_frame(YAMUX_GO_AWAY, 0, 0, YAMUX_BYE_NORMAL);
	cr_assert_eq(mux_open_stream(m, &s), -ESHUTDOWN);
	feed_data(1, "still");
	read_once(&users[0]);
	expect(&users[0], "still");
}

Test(mux_server, what_is_not_fatal)
{
	static const struct yamux_frame frames[] = {
		{ YAMUX_CREDIT, 0, 99, 5 },
		{ YAMUX_CREDIT, YAMUX_FIN, 99, 0 },
		{ YAMUX_CREDIT, YAMUX_RST, 99, 0 },
		{ YAMUX_CREDIT, YAMUX_ACK, 1, 0 },
		{ YAMUX_CREDIT, YAMUX_ACK, 1, 0 },
		{ YAMUX_CREDIT, 0xfff0, 1, 0 },
		{ YAMUX_DATA, 0, 1, 0 },
		{ YAMUX_PING, YAMUX_ACK, 5, 1234 },
		{ YAMUX_PING, 0, 0, 1234 },
		{ YAMUX_DATA, YAMUX_FIN, 1, 0 },
		{ YAMUX_CREDIT, 0, 1, 5 },
	};

	open_one(1);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		feed_frame(frames[i].type, frames[i].flags, frames[i].id,
			frames[i].length);
	feed_data(99, "for nobody");
	feed_data(1, "after its end");
	leaves_nothing();
	cr_assert_eq(ended_count, 0);
	read_all(&users[0]);
	cr_assert_eq(users[0].size, 0);
	cr_assert_eq(users[0].end, 0);
}

/* --- the end of all --- */

/* What each stream sees. */
static void end_with(int result)
{
	struct user *reading = open_one(1), *done = open_one(3),
		    *unread = open_one(5), *flying = open_one(7),
		    *waiting = open_one(9);

	read_once(reading);
	feed_frame(YAMUX_CREDIT, YAMUX_FIN, 3, 0);
	feed_data(5, "kept");
	say_bulk(flying, 10000);
	say(waiting, "small");
	end_feed(&e, NULL, result);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended_result, result);
	cr_assert_eq(reading->end, -ECONNRESET);
	read_all(done);
	cr_assert_eq(done->end, 0);
	read_all(unread);
	expect(unread, "kept");
	cr_assert_eq(unread->end, -ECONNRESET);
	cr_assert_eq(waiting->sent_result, -ECONNRESET);
	/* The connection is shut down; that ends the write. */
	cr_assert_eq(flying->sent, 0);
	cr_assert(end_is_finished(&e));
	end_take(&e, -EPIPE);
	cr_assert_eq(flying->sent_result, -EPIPE);
	cr_assert_eq(m->state, MUX_GONE);
	say(unread, "x");
	script_run(world_loop);
	cr_assert_eq(unread->sent_result, -ECONNRESET);
	cr_assert_eq(stream_descriptor(unread->stream), -1);
}

Test(mux_server, the_connection_ends)
{
	end_with(0);
	cr_assert_str_eq(ended_why, "the peer has closed the connection");
}

Test(mux_server, the_connection_fails)
{
	end_with(-ECONNRESET);
	cr_assert_str_eq(ended_why, "the connection failed");
}

Test(mux_server, a_write_fails)
{
	struct user *u = open_one(1), *v = open_one(3);

	say_bulk(u, 10000);
	end_take(&e, 5000);
	say(v, "small");
	end_take(&e, -ECONNRESET);
	expect_ended(-ECONNRESET, "the connection failed");
	cr_assert_null(stream_trouble(u->stream));
	cr_assert_eq(u->sent_result, -ECONNRESET);
	cr_assert_eq(v->sent_result, -ECONNRESET);
}

Test(mux_server, closed_inside_of_ended)
{
	closes_in_ended = true;
	open_one(1);
	end_feed(&e, NULL, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_null(m);
	/* The stream keeps its memory. */
	cr_assert_eq(pool_used(all.pool), 1);
	stream_close(&users[0].stream, false);
	cr_assert_eq(pool_used(all.pool), 0);
}

Test(mux_server, closed_by_its_owner)
{
	struct user *u = open_one(1), *v = open_one(3);

	read_once(u);
	say(v, "going out");
	cr_assert_eq(stream_finish(u->stream), 0);
	mux_close(&m);
	/* Nobody is called inside of the call. */
	cr_assert_eq(u->end, 1);
	script_run(world_loop);
	cr_assert_eq(u->end, -ECONNRESET);
	leaves_data(3, "going out");
	leaves(YAMUX_CREDIT, YAMUX_FIN, 1, 0);
	cr_assert(end_is_finished(&e));
	cr_assert_eq(v->sent, 1);
	cr_assert_eq(ended_count, 0);
}

Test(mux_server, closed_by_its_owner_with_a_peer_that_does_not_read)
{
	struct user *u = open_one(1);

	say(u, "stuck");
	mux_close(&m);
	script_run(world_loop);
	stream_close(&u->stream, true);
	script_pass(world_loop, MUX_LEAVE_TIME);
	cr_assert(end_is_finished(&e));
	end_take(&e, -EPIPE);
	cr_assert_eq(pool_used(all.pool), 0);
}

/* As a control does that has heard enough. */
Test(mux_server, closed_by_a_reader_in_the_middle_of_a_chunk)
{
	struct user *u = open_one(1), *v = open_one(3);

	u->closes_all = u->closes_when_read = true;
	read_once(u);
	read_once(v);
	feed("\0\0\0\0\0\0\0\1\0\0\0\2ab\0\0\0\0\0\0\0\3\0\0\0\2cd", 28);
	cr_assert_null(m);
	expect(u, "ab");
	cr_assert_eq(v->size, 0);
	cr_assert_eq(v->end, -ECONNRESET);
	leaves(YAMUX_CREDIT, YAMUX_RST, 1, 0);
	cr_assert(end_is_finished(&e));
	cr_assert_eq(pool_used(all.streams), 1);
}

Test(mux_server, closed_at_once)
{
	struct mux *other;
	struct end f = end_open();

	other = mux_open(&all, f.stream);
	cr_assert_not_null(other);
	mux_close(&other);
	script_run(world_loop);
	cr_assert_eq(pool_used(all.pool), 1);
	/* Its streams go with it. */
	cr_assert_eq(pool_used(world_streams), 1);
}

Test(mux_server, what_is_unread_below_is_its_beginning)
{
	struct end f = end_open();
	struct mux *first = m;

	stream_unread(f.stream,
		chunk_copy((const uint8_t *)"\0\1\0\1\0\0\0\1\0\0\0\0", 12));
	m = mux_open(&all, f.stream);
	cr_assert_eq(accepted_count, 0);
	script_run(world_loop);
	cr_assert_eq(accepted_count, 1);
	end_take(&f, YAMUX_HEADER);
	mux_close(&m);
	m = first;
}

Test(mux_server, no_room_for_another)
{
	struct end f = end_open(), g = end_open();
	struct mux *other = mux_open(&all, f.stream);

	cr_assert_not_null(other);
	cr_assert_null(mux_open(&all, g.stream));
	mux_close(&other);
}

#define MANY 10000

Test(mux_client, ten_thousand_streams)
{
	static struct stream *streams[MANY];
	struct pool *few = all.streams;
	struct chunk *c;

	all.streams = pool_create(sizeof(struct mux_stream), MANY);
	all.streams_max = MANY;
	for (uint32_t i = 0; i < MANY; i++)
		cr_assert_eq(mux_open_stream(m, &streams[i]), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		leaves(YAMUX_CREDIT, YAMUX_SYN, 2 * i + 1, 0);
		feed_frame(YAMUX_CREDIT, YAMUX_ACK, 2 * i + 1, 0);
	}
	feed_data(2 * MANY - 1, "last");
	feed_data(MANY + 1, "middle");
	cr_assert_eq(stream_take(streams[MANY - 1], &c), 4);
	chunk_give(c);
	cr_assert_eq(stream_take(streams[MANY / 2], &c), 6);
	chunk_give(c);
	/* What an idle stream takes, all in all. */
	cr_assert(sizeof(struct mux_stream) <= 216);
	for (uint32_t i = 0; i < MANY; i++) {
		stream_close(&streams[i], true);
		leaves(YAMUX_CREDIT, YAMUX_RST, 2 * i + 1, 0);
	}
	cr_assert_eq(mux_streams(m), 0);
	cr_assert_eq(pool_used(all.streams), 0);
	pool_destroy(&all.streams);
	all.streams = few;
}
