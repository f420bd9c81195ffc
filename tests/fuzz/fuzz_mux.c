/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A mux whose peer sends anything, whose connection takes a few bytes at a
 * time, and whose streams are read, written and closed in any order. What goes
 * out is what a strict peer would accept; memory stays bounded; at the end
 * nothing is left.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/relay/mux.h"
#include "common/relay/raw_stream.h"
#include "tests/double/script.h"
#include "tests/fuzz/fuzz.h"

#define USERS 64
#define IDS 256

struct user {
	struct stream *stream;
	struct stream_reader reader;
	struct stream_writer writer;
	bool reading, writing;
};

/* What a strict peer knows of a stream. */
struct seen {
	uint64_t credit; /* what we may send */
	bool known, ended, cut;
	bool again; /* the peer used the id twice: nothing is known */
};

static struct loop *loop;
static struct counters counters;
static struct pool *raws;
static struct muxes all;
static struct mux *mux;
static int fd, peer;
static struct user users[USERS];
static struct seen seen[IDS];
static struct yamux_parser in, out;

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	struct user *u = container_of(r, struct user, reader);

	must(c ? result > 0 : result <= 0);
	u->reading = false;
	chunk_give(c);
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	must(c && result <= 0);
	container_of(w, struct user, writer)->writing = false;
	chunk_give(c);
}

static bool take_on(struct stream *s)
{
	for (int i = 0; i < USERS; i++) {
		if (users[i].stream)
			continue;
		users[i] = (struct user){
			.stream = s, .reader = { received }, .writer = { sent }
		};
		return true;
	}
	return false;
}

static void accepted(struct mux *m, struct stream *s)
{
	(void)m;
	if (!take_on(s))
		stream_close(&s, true);
}

static void ended(struct mux *m, int result, const char *why)
{
	must(m == mux && result <= 0 && why);
}

/* A frame begins: from the peer, or from us. */
static void see(const struct yamux_frame *f, bool ours)
{
	struct seen *s = &seen[f->id % IDS];
	bool syn = f->flags & YAMUX_SYN;

	if (f->type > YAMUX_CREDIT || f->id >= IDS)
		return;
	if (syn) {
		s->again |= s->known;
		s->known = true;
		s->credit = YAMUX_WINDOW;
	}
	if (!ours) {
		if (f->type == YAMUX_CREDIT)
			s->credit += f->length;
		return;
	}
	if (s->again)
		return;
	must(s->known && !s->cut && !(f->flags & YAMUX_FIN && s->ended));
	if (f->type == YAMUX_DATA) {
		must(!s->ended && f->length > 0 && f->length <= s->credit);
		s->credit -= f->length;
	}
	s->ended |= f->flags & YAMUX_FIN;
	s->cut |= f->flags & YAMUX_RST;
}

static void see_all(
	struct yamux_parser *p, const uint8_t *bytes, uint32_t size, bool ours)
{
	while (size > 0) {
		struct yamux_frame f;
		uint32_t n = size;
		int step = yamux_parse(p, bytes, &n, &f);

		must(step >= 0 || !ours);
		if (step == YAMUX_FRAME)
			see(&f, ours);
		bytes += n;
		size -= n;
	}
}

static void feed(const uint8_t *bytes, uint32_t size)
{
	while (size > 0) {
		struct script_op *op = script_find(OP_RECV, fd);
		uint32_t n = size < 1000 ? size : 1000;

		if (!op)
			return;
		see_all(&in, bytes, n, false);
		script_receive(loop, op, bytes, n);
		script_run(loop);
		bytes += n;
		size -= n;
	}
}

static void take(uint32_t most)
{
	struct script_op *op = script_find(OP_SEND, fd);

	if (!op)
		return;
	if (most > op->args.size)
		most = op->args.size;
	see_all(&out, op->args.data, most, true);
	script_complete(op, (int)most, true);
	script_run(loop);
}

/* A frame and its payload, if that is not too long. */
static void feed_frame(uint8_t type, const uint8_t *args)
{
	static const uint8_t zeros[65536];
	struct yamux_frame f = { .type = type,
		.flags = args[0],
		.id = args[1],
		.length = args[2] < 200 ? args[2] : (args[2] - 199u) * 4096u };
	uint8_t h[YAMUX_HEADER];

	yamux_encode(h, &f);
	feed(h, sizeof(h));
	if (type == YAMUX_DATA && f.length <= sizeof(zeros))
		feed(zeros, f.length);
}

static void end_below(int result)
{
	struct script_op *op = script_find(OP_RECV, fd);

	if (op)
		script_complete(op, result, true);
}

static void read_some(struct user *u)
{
	struct chunk *c;
	int n;

	if (!u->stream || u->reading)
		return;
	n = stream_take(u->stream, &c);
	chunk_give(c);
	if (n != -EAGAIN)
		return;
	u->reading = true;
	stream_read(u->stream, &u->reader);
}

static void write_some(struct user *u, uint32_t n)
{
	struct chunk *c = chunk_from_heap(n);

	if (!c || !u->stream || u->writing || u->stream->finished) {
		chunk_give(c);
		return;
	}
	memset(c->data, 'x', n);
	c->to = n;
	u->writing = true;
	stream_write(u->stream, c, false, &u->writer);
}

static void act(uint8_t op, uint8_t arg)
{
	struct user *u = &users[arg % USERS];
	struct stream *s;

	switch (op % 8) {
	case 0:
		read_some(u);
		break;
	case 1:
		write_some(u, op & 8 ? 40000 : 1 + arg * 3u);
		break;
	case 2:
		if (u->stream && !u->writing)
			(void)stream_finish(u->stream);
		break;
	case 3:
		stream_close(&u->stream, op & 8);
		break;
	case 4:
		if (mux && mux_open_stream(mux, &s) == 0 && !take_on(s))
			stream_close(&s, true);
		break;
	case 5:
		take(op & 8 ? UINT32_MAX : 1u + arg);
		break;
	case 6:
		script_pass(loop, (int64_t)arg * CLOCK_SECOND);
		break;
	default:
		if (arg == 0)
			mux_close(&mux);
		else if (arg < 3)
			end_below(arg == 1 ? 0 : -ECONNRESET);
	}
	script_run(loop);
}

static void begin(uint8_t how)
{
	int pair[2];

	if (!loop) {
		loop = script_loop(&counters, 64);
		raws = pool_create(sizeof(struct raw_stream), 1);
		all.loop = loop;
		all.pool = pool_create(sizeof(struct mux), 1);
		all.streams = pool_create(sizeof(struct mux_stream), 2 * USERS);
		all.ended = ended;
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	fd = pair[0];
	peer = pair[1];
	all.accepted = how & 1 ? accepted : NULL;
	all.held_max = how & 2 ? 20000 : MUX_HELD_USUAL;
	all.streams_max = how & 4 ? 8 : 2 * USERS;
	all.window_max = YAMUX_WINDOW_MAX;
	all.ping = how & 8 ? MUX_PING_USUAL : 0;
	memset(seen, 0, sizeof(seen));
	in = out = (struct yamux_parser){ 0 };
	mux = mux_open(&all, raw_stream_open(raws, loop, fd));
	must(mux != NULL);
	script_run(loop);
}

static void finish(void)
{
	struct script_op *op;

	for (int i = 0; i < USERS; i++)
		stream_close(&users[i].stream, i % 2);
	mux_close(&mux);
	script_run(loop);
	while ((op = script_find(OP_SEND, fd))) {
		script_complete(op, -EPIPE, true);
		script_run(loop);
	}
	close(peer);
	must(pool_used(all.pool) == 0);
	must(pool_used(all.streams) == 0);
	must(pool_used(raws) == 0);
	must(loop->in_flight == 0);
	must(chunk_pool_used(loop->chunks) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 1;

	if (size == 0)
		return 0;
	begin(data[0]);
	while (at + 4 <= size) {
		uint8_t op = data[at++];

		if (op < 0x40) {
			size_t n = op + 1u < size - at ? op + 1u : size - at;

			feed(data + at, (uint32_t)n);
			at += n;
		} else if (op < 0x80) {
			feed_frame(op & 3, data + at);
			at += 3;
		} else {
			act(op, data[at++]);
		}
		must(!mux || mux->held <= all.held_max);
		must(!mux || mux_streams(mux) <= all.streams_max);
	}
	finish();
	return 0;
}
