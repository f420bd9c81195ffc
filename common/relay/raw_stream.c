/* SPDX-License-Identifier: Apache-2.0 */

/* Closing is a join: cancel, wait for the last callback, close, free. */

#include "common/relay/raw_stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/event/loop.h"

/* Chunks that may come before they are asked for. */
#define AHEAD_MAX 2

/* A large chunk with fewer bytes was not worth it. */
#define BULK_LEAST 8192

static struct raw_stream *raw_of(const struct stream *s)
{
	return container_of(s, struct raw_stream, stream);
}

/* Free a closing stream once nothing is in flight. */
static void raw_join(struct raw_stream *r)
{
	if (op_in_flight(&r->recv) || op_in_flight(&r->send))
		return;
	if (!r->cut)
		socket_set_abort(r->fd, false);
	loop_close(r->stream.loop, r->fd);
	pool_give(r->home, r);
}

/*
 * A socket that said end: has its peer ended? The kernel tells of a reset
 * once, to whoever comes first; a send may have been that, and splice(2) keeps
 * it to itself when some bytes went before.
 */
static int raw_end(const struct raw_stream *r)
{
	bool ask = r->doubtful || op_in_flight(&r->send);

	return ask && socket_was_reset(r->fd, r->received) ? -ECONNRESET : 0;
}

static void raw_received(struct op *op, int result);

/* Whether the receive is being stopped; not any more, if somebody reads. */
static bool is_stilling(struct raw_stream *r)
{
	if (r->stream.reader)
		r->still = NULL;
	return r->still && !r->stream.closing;
}

/* The receive that is being stopped has brought something, or is over. */
static void raw_stilled(struct raw_stream *r, struct chunk *c, int result)
{
	struct stream_reader *reader = r->still;

	if (c)
		chunk_queue_push(&r->stream.unread, c);
	else if (result <= 0 && result != -ECANCELED)
		r->stream.read_end = result == 0 ? raw_end(r) : result;
	if (op_in_flight(&r->recv))
		return;
	r->still = NULL;
	r->stream.reading = false;
	reader->received(reader, NULL, 1);
}

static void raw_start(struct raw_stream *r);

/* Whether the next bytes are worth a large chunk. */
static bool wants_bulk(const struct raw_stream *r)
{
	return r->stream.gulp != STREAM_CHUNK && r->bulk;
}

/* The socket is readable, and its reader wants bulk. */
static void raw_gulp(struct raw_stream *r, struct chunk *c)
{
	struct stream *s = &r->stream;
	uint32_t size =
		s->gulp == STREAM_BULK ? LOOP_BULK - CHUNK_HEADROOM : c->size;
	ssize_t n = recv(r->fd, c->data, size, MSG_DONTWAIT);

	if (n > 0) {
		c->to = (uint32_t)n;
		r->received += (uint32_t)n;
		r->bulk = n >= BULK_LEAST;
		s->backlog = c->to == size;
		s->ending = false;
		stream_received(s, c, (int)n);
		return;
	}
	n = n < 0 ? -errno : raw_end(r);
	chunk_give(c);
	if (n == -EAGAIN || n == -EINTR)
		raw_start(r);
	else
		stream_received(s, NULL, (int)n);
}

static void raw_ready(struct op *op, int result)
{
	struct raw_stream *r = container_of(op, struct raw_stream, recv);
	struct stream *s = &r->stream;
	bool closing = s->closing;
	struct chunk *c;

	if (is_stilling(r)) {
		raw_stilled(r, NULL, -ECANCELED);
		return;
	}
	if (result > 0 && !closing && s->reader && !s->readiness &&
		wants_bulk(r)) {
		c = chunk_take(s->loop->bulk);
		r->bulk = c;
		if (c) {
			raw_gulp(r, c);
			return;
		}
	}
	stream_ready(&r->stream, result);
	if (closing)
		raw_join(r);
}

/*
 * Receive, or wait, as the reader wants now. A large chunk is taken when bytes
 * are there.
 */
static void raw_start(struct raw_stream *r)
{
	struct stream *s = &r->stream;

	if (s->readiness || wants_bulk(r))
		op_poll(s->loop, &r->recv, r->fd, POLLIN | POLLRDHUP,
			raw_ready);
	else if (s->steady && !r->bulk)
		op_recv_many(s->loop, &r->recv, r->fd, raw_received);
	else
		op_recv(s->loop, &r->recv, r->fd, raw_received);
}

/*
 * Receives that nobody has asked for go on while bytes are few: that saves an
 * operation for each. They end with the first full chunk, or when AHEAD_MAX
 * chunks wait.
 */
static void raw_received(struct op *op, int result)
{
	struct raw_stream *r = container_of(op, struct raw_stream, recv);
	struct stream *s = &r->stream;
	struct chunk *c = op->chunk;
	bool closing = s->closing, armed = op_in_flight(op);

	op->chunk = NULL;
	s->backlog = !op->drained;
	s->ending = op->ending && !r->doubtful;
	if (c)
		r->received += (uint32_t)result;
	if (is_stilling(r)) {
		raw_stilled(r, c, result);
		return;
	}
	if (result == -ECANCELED && !closing) {
		/* It ran ahead and was stopped. */
		if (s->reading)
			raw_start(r);
		return;
	}
	if (c)
		r->bulk = c->to == c->size;
	if (result == 0)
		result = raw_end(r);
	r->ahead = s->reading ? 0 : r->ahead + 1;
	if (armed && (r->bulk || r->ahead >= AHEAD_MAX || result <= 0))
		op_cancel(s->loop, op);
	stream_received(s, c, result);
	if (closing)
		raw_join(r);
}

static void raw_read(struct stream *s)
{
	struct raw_stream *r = raw_of(s);

	if (!op_in_flight(&r->recv))
		raw_start(r);
	else if (s->readiness)
		op_cancel(s->loop, &r->recv);
}

static void raw_sent(struct op *op, int result)
{
	struct raw_stream *r = container_of(op, struct raw_stream, send);
	bool closing = r->stream.closing;

	r->doubtful |= result < 0;
	stream_sent(&r->stream, result);
	if (closing)
		raw_join(r);
}

static void raw_write(struct stream *s, const void *data, uint32_t n, bool more)
{
	struct raw_stream *r = raw_of(s);

	op_send(s->loop, &r->send, r->fd, data, n, more, raw_sent);
}

static void raw_room(struct op *op, int result)
{
	struct raw_stream *r = container_of(op, struct raw_stream, send);
	bool closing = r->stream.closing;

	stream_room(&r->stream, result);
	if (closing)
		raw_join(r);
}

static void raw_await_room(struct stream *s)
{
	struct raw_stream *r = raw_of(s);

	op_poll(s->loop, &r->send, r->fd, POLLOUT, raw_room);
}

static ssize_t raw_splice_in(struct stream *s, struct pipe *p, uint32_t max)
{
	struct raw_stream *r = raw_of(s);
	ssize_t n = pipe_fill(p, r->fd, max);

	if (n > 0)
		r->received += (uint32_t)n;
	return n == 0 ? raw_end(r) : n;
}

static ssize_t raw_splice_out(struct stream *s, struct pipe *p)
{
	struct raw_stream *r = raw_of(s);
	ssize_t n = pipe_drain(p, r->fd, false);

	r->doubtful |= p->bytes > 0 && n != -EAGAIN;
	return n;
}

static int raw_finish(struct stream *s)
{
	return shutdown(raw_of(s)->fd, SHUT_WR) < 0 ? -errno : 0;
}

static void raw_close(struct stream *s, bool cut)
{
	struct raw_stream *r = raw_of(s);

	r->cut = cut;
	op_cancel(s->loop, &r->recv);
	op_cancel(s->loop, &r->send);
	raw_join(r);
}

static int raw_descriptor(const struct stream *s)
{
	return raw_of(s)->fd;
}

static const struct stream_ops raw_ops = {
	.read = raw_read,
	.write = raw_write,
	.finish = raw_finish,
	.close = raw_close,
	.descriptor = raw_descriptor,
	.await = raw_read,
	.await_room = raw_await_room,
	.splice_in = raw_splice_in,
	.splice_out = raw_splice_out,
};

struct stream *raw_stream_open(struct pool *home, struct loop *l, int fd)
{
	struct raw_stream *r = pool_take(home);

	if (!r) {
		loop_close(l, fd);
		return NULL;
	}
	r->home = home;
	r->fd = fd;
	stream_init(&r->stream, l, &raw_ops);
	return &r->stream;
}

static bool is_quiet(const struct stream *s)
{
	const struct raw_stream *r = raw_of(s);

	return s->ops == &raw_ops && !s->unread.head && s->read_end == 1 &&
	       !s->finished && !op_in_flight(&r->send) && !r->doubtful;
}

bool raw_stream_can_rest(const struct stream *s)
{
	return is_quiet(s) && raw_of(s)->recv.state == OP_FLYING;
}

bool raw_stream_still(struct stream *s, struct stream_reader *reader)
{
	struct raw_stream *r = raw_of(s);

	assert(!s->reader && !op_in_flight(&r->send));
	if (!op_in_flight(&r->recv))
		return true;
	r->still = reader;
	op_cancel(s->loop, &r->recv);
	return false;
}

bool raw_stream_can_move(const struct stream *s)
{
	return is_quiet(s) && !op_in_flight(&raw_of(s)->recv);
}

void raw_stream_rest(struct stream **sp, struct raw_rest *rest, op_fn *stirred)
{
	struct raw_stream *r = raw_of(*sp);

	*sp = NULL;
	assert(!r->stream.unread.head && !op_in_flight(&r->send));
	assert(stirred || !op_in_flight(&r->recv));
	*rest = (struct raw_rest){ .fd = r->fd, .received = r->received };
	op_move(r->stream.loop, &r->recv, &rest->recv, stirred);
	if (!stirred)
		loop_forget(r->stream.loop, r->fd);
	pool_give(r->home, r);
}

static op_fn *done_of(const struct op *recv)
{
	return recv->kind == OP_POLL ? raw_ready : raw_received;
}

struct stream *raw_stream_wake(
	struct pool *home, struct loop *l, struct raw_rest *rest)
{
	struct raw_stream *r = pool_take(home);

	if (!r)
		return NULL;
	r->home = home;
	r->fd = rest->fd;
	r->received = rest->received;
	if (op_in_flight(&rest->recv))
		op_move(l, &rest->recv, &r->recv, done_of(&rest->recv));
	else
		r->recv = rest->recv;
	rest->fd = -1;
	stream_init(&r->stream, l, &raw_ops);
	/* A receive has run ahead; a wait was asked for. */
	r->stream.reading = r->stream.readiness =
		op_in_flight(&r->recv) && r->recv.kind == OP_POLL;
	return &r->stream;
}

void raw_stream_stir(struct stream *s, int result)
{
	struct op *recv = &raw_of(s)->recv;

	done_of(recv)(recv, result);
}
