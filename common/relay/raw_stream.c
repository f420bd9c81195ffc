/* SPDX-License-Identifier: Apache-2.0 */

/* Closing is a join: cancel, wait for the last callback, close, free. */

#include "common/relay/raw_stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"

/* Chunks that may come before they are asked for. */
#define AHEAD_MAX 2

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
	close(r->fd);
	pool_give(r->home, r);
}

static void raw_received(struct op *op, int result);

static void raw_ready(struct op *op, int result)
{
	struct raw_stream *r = container_of(op, struct raw_stream, recv);
	bool closing = r->stream.closing;

	stream_ready(&r->stream, result);
	if (closing)
		raw_join(r);
}

/* Receive, or wait, as the reader wants now. */
static void raw_start(struct raw_stream *r)
{
	struct stream *s = &r->stream;

	if (s->readiness)
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
	s->ending = op->ending;
	if (result == -ECANCELED && !closing) {
		/* It ran ahead and was stopped. */
		if (s->reading)
			raw_start(r);
		return;
	}
	if (c)
		r->bulk = c->to == c->size;
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
	return pipe_fill(p, raw_of(s)->fd, max);
}

static ssize_t raw_splice_out(struct stream *s, struct pipe *p)
{
	return pipe_drain(p, raw_of(s)->fd, false);
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
		close(fd);
		return NULL;
	}
	r->home = home;
	r->fd = fd;
	stream_init(&r->stream, l, &raw_ops);
	return &r->stream;
}

int raw_stream_detach(struct stream **sp, struct chunk_queue *unread)
{
	struct raw_stream *r = raw_of(*sp);
	struct chunk *c;
	int fd = r->fd;

	*sp = NULL;
	assert(!op_in_flight(&r->recv) && !op_in_flight(&r->send));
	while ((c = chunk_queue_pop(&r->stream.unread)))
		chunk_queue_push(unread, c);
	pool_give(r->home, r);
	return fd;
}
