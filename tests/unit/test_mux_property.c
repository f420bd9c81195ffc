/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two muxes, one at each end of a connection that passes any number of bytes
 * at a time, and 200 streams whose ends write, read slowly or not, end and cut
 * in any order. Every byte arrives, in its order, on its stream, and nothing
 * is left. MUX_SEEDS histories are played, 20 unless said; MUX_SEED repeats
 * one.
 */
// links: common/relay/mux.c common/relay/mux_in.c common/relay/mux_out.c
// links: common/relay/mux_stream.c common/relay/mux_hold.c
// links: common/relay/mux_table.c common/wire/yamux.c
// links: common/wire/yamux_window.c common/relay/raw_stream.c
// links: common/relay/stream.c common/event/loop.c common/event/pipe.c
// links: common/event/chunk.c common/base/timer.c common/base/pool.c
// links: common/base/socket.c common/base/address.c common/base/counter.c
// links: common/base/reason.c common/crypto/random.c tests/double/script.c
// links: tests/double/streams.c
// libs: boringssl

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/relay/mux.h"
#include "tests/double/streams.h"
#include "tests/unit/chance.h"

#define STREAMS 200
#define WIRE (1024 * 1024)

/* One end of a stream. */
struct side {
	struct stream *stream;
	struct stream_reader reader;
	struct stream_writer writer;
	uint32_t total, wrote, got; /* bytes */
	unsigned slow;              /* reads once in so many turns */
	int end;                    /* 1: more may come */
	int failed;                 /* to write */
	bool reading, writing, ended, closed;
};

/* One end of the connection, and the bytes that are on the way from it. */
struct node {
	struct muxes all;
	struct mux *mux;
	struct end e;
	struct side sides[STREAMS];
	uint8_t wire[WIRE];
	size_t from, to;
};

static struct node nodes[2];
static bool cut_short[STREAMS];
static unsigned opened;

static uint8_t byte_of(const struct side *s, uint32_t k)
{
	int n = s >= nodes[1].sides && s < nodes[1].sides + STREAMS;
	unsigned i = (unsigned)(s - nodes[n].sides);

	return (uint8_t)(k * 31 + (k >> 8) + i * 7 + (unsigned)n * 101);
}

static struct side *other(struct side *s)
{
	int n = s >= nodes[1].sides && s < nodes[1].sides + STREAMS;

	return &nodes[!n].sides[s - nodes[n].sides];
}

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	struct side *s = container_of(r, struct side, reader);

	s->reading = false;
	if (!c)
		s->end = result;
	for (uint32_t i = 0; c && i < chunk_length(c); i++)
		cr_assert_eq(chunk_bytes(c)[i], byte_of(other(s), s->got++));
	chunk_give(c);
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	struct side *s = container_of(w, struct side, writer);

	s->writing = false;
	s->failed = result;
	chunk_give(c);
}

static void take_on(struct side *s, struct stream *stream)
{
	static const uint32_t totals[] = { 0, 100, 3000, 20000, 90000 };

	*s = (struct side){ .stream = stream,
		.reader = { received },
		.writer = { sent },
		.total = pick(totals[pick(5)] + 1),
		.slow = pick(4) ? 1 + pick(3) : 40,
		.end = 1 };
}

static void accepted(struct mux *m, struct stream *s)
{
	uint32_t id = container_of(s, struct mux_stream, stream)->id;

	cr_assert_eq(m, nodes[1].mux);
	take_on(&nodes[1].sides[id / 2], s);
}

static void ended(struct mux *m, int result, const char *why)
{
	(void)m;
	cr_assert_fail("ended: %d %s", result, why);
}

static void write_some(struct side *s)
{
	uint32_t left = s->total - s->wrote;
	uint32_t n = 1 + pick(pick(3) ? 200 : 50000);
	struct chunk *c;

	n = n < left ? n : left;
	c = chunk_from_heap(n);
	for (uint32_t i = 0; i < n; i++)
		c->data[i] = byte_of(s, s->wrote++);
	c->to = n;
	s->writing = true;
	stream_write(s->stream, c, pick(2), &s->writer);
}

static void read_some(struct side *s)
{
	struct chunk *c;
	int n = stream_take(s->stream, &c);

	s->reading = true;
	if (n == -EAGAIN)
		stream_read(s->stream, &s->reader);
	else
		received(&s->reader, c, n);
}

/* Whether it has nothing more to do. */
static bool is_done(const struct side *s)
{
	return s->end != 1 && (s->ended || s->failed < 0) && !s->writing;
}

static void act(struct side *s)
{
	unsigned i = (unsigned)(s - nodes[s > nodes[0].sides + STREAMS].sides);

	if (!s->stream)
		return;
	if (pick(3000) == 0 && i % 8 == 0) {
		cut_short[i] = true;
		stream_close(&s->stream, true);
		return;
	}
	if (!s->writing && !s->ended && s->failed == 0) {
		if (s->wrote < s->total)
			write_some(s);
		else
			s->ended = stream_finish(s->stream) == 0 ||
				   (s->failed = -EPIPE) == 0;
	}
	if (!s->reading && s->end == 1 && pick(s->slow) == 0)
		read_some(s);
	if (is_done(s))
		stream_close(&s->stream, pick(2));
}

/* The connection takes some bytes from one end, and gives some to the other. */
static void pass(struct node *n, struct node *peer)
{
	struct script_op *op = script_find(OP_SEND, n->e.fd);
	uint32_t size;

	if (op && n->to + op->args.size <= WIRE) {
		size = pick(8) ? op->args.size : 1 + pick(op->args.size);
		memcpy(n->wire + n->to, op->args.data, size);
		n->to += size;
		end_take(&n->e, (int)size);
	}
	if (n->from < n->to) {
		size = 1 + pick(end_reads(&peer->e) ? 1024 : 60000);
		if (size > n->to - n->from)
			size = (uint32_t)(n->to - n->from);
		end_feed(&peer->e, n->wire + n->from, (int)size);
		n->from += size;
	}
	if (n->from == n->to)
		n->from = n->to = 0;
}

/* With a low bound, anybody may be cut. */
static void begin(uint32_t held_max)
{
	world_begin();
	memset(cut_short, held_max < MUX_HELD_USUAL, sizeof(cut_short));
	opened = 0;
	for (int i = 0; i < 2; i++) {
		struct node *n = &nodes[i];

		memset(n->sides, 0, sizeof(n->sides));
		n->from = n->to = 0;
		n->all = (struct muxes){ .loop = world_loop,
			.pool = pool_create(sizeof(struct mux), 1),
			.streams = pool_create(
				sizeof(struct mux_stream), 2 * STREAMS),
			.streams_max = 2 * STREAMS,
			.held_max = held_max,
			.window_max = YAMUX_WINDOW_MAX,
			.accepted = i ? accepted : NULL,
			.ended = ended };
		n->e = end_open();
		n->mux = mux_open(&n->all, n->e.stream);
	}
	script_run(world_loop);
}

static bool all_done(void)
{
	if (opened < STREAMS)
		return false;
	for (unsigned i = 0; i < STREAMS; i++)
		if (nodes[0].sides[i].stream || nodes[1].sides[i].stream)
			return false;
	return nodes[0].mux->streams == 0 && nodes[1].mux->streams == 0;
}

static void play(void)
{
	for (unsigned turn = 0; !all_done(); turn++) {
		struct stream *s;

		cr_assert(turn < 3000000, "it is stuck");
		if (opened < STREAMS && pick(5) == 0) {
			cr_assert_eq(mux_open_stream(nodes[0].mux, &s), 0);
			take_on(&nodes[0].sides[opened++], s);
		}
		for (int i = 0; i < 8; i++)
			act(&nodes[pick(2)].sides[pick(STREAMS)]);
		script_run(world_loop);
		pass(&nodes[0], &nodes[1]);
		pass(&nodes[1], &nodes[0]);
		script_run(world_loop);
	}
}

static void check(void)
{
	for (unsigned i = 0; i < STREAMS; i++) {
		for (int n = 0; n < 2; n++) {
			const struct side *s = &nodes[n].sides[i];
			const struct side *o = &nodes[!n].sides[i];

			cr_assert(s->got <= o->wrote);
			if (cut_short[i])
				continue;
			cr_assert_eq(s->wrote, s->total);
			cr_assert_eq(s->got, o->total);
			cr_assert_eq(s->end, 0);
			cr_assert_eq(s->failed, 0);
		}
	}
}

static void finish(void)
{
	for (int i = 0; i < 2; i++) {
		mux_close(&nodes[i].mux);
		script_run(world_loop);
		cr_assert_eq(pool_used(nodes[i].all.pool), 0);
		cr_assert_eq(pool_used(nodes[i].all.streams), 0);
		pool_destroy(&nodes[i].all.pool);
		pool_destroy(&nodes[i].all.streams);
	}
	world_end();
}

static void play_all(uint32_t held_max)
{
	const char *one = getenv("MUX_SEED"), *many = getenv("MUX_SEEDS");
	unsigned first = one ? (unsigned)atoi(one) : 1;
	unsigned last = one ? first : (many ? (unsigned)atoi(many) : 20);

	for (unsigned i = first; i <= last; i++) {
		fprintf(stderr, "MUX_SEED=%u\n", i);
		chance = i;
		begin(held_max);
		play();
		check();
		finish();
	}
}

Test(mux_property, every_byte_in_its_order_on_its_stream)
{
	play_all(MUX_HELD_USUAL);
}

Test(mux_property, the_same_with_little_memory)
{
	play_all(50000);
	cr_assert(world_counters.value[COUNTER_mux_overflows] > 0);
}
