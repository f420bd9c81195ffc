/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/stream.h"

#include <assert.h>
#include <errno.h>

#include "common/base/socket.h"

void stream_init(struct stream *s, struct loop *l, const struct stream_ops *ops)
{
	s->ops = ops;
	s->loop = l;
	s->read_end = 1;
}

int stream_take(struct stream *s, struct chunk **c_r)
{
	if (!s->unread.head && s->read_end == 1 && s->ops->fetch)
		s->ops->fetch(s);
	*c_r = chunk_queue_pop(&s->unread);
	if (*c_r)
		return (int)chunk_length(*c_r);
	return s->read_end == 1 ? -EAGAIN : s->read_end;
}

void stream_read(struct stream *s, struct stream_reader *r)
{
	assert(!s->closing && !s->unread.head && s->read_end == 1);
	s->reader = r;
	s->readiness = false;
	if (s->reading)
		return;
	s->reading = true;
	s->ops->read(s);
}

void stream_await(struct stream *s, struct stream_reader *r)
{
	assert(!s->closing && !s->unread.head && s->read_end == 1);
	s->reader = r;
	s->readiness = true;
	if (s->reading)
		return;
	s->reading = true;
	s->ops->await(s);
}

ssize_t stream_splice_in(struct stream *s, struct pipe *p, uint32_t max)
{
	ssize_t n;

	assert(!s->closing && !s->reading && s->read_end == 1);
	n = s->ops->splice_in(s, p, max);
	if (n <= 0 && n != -EAGAIN)
		s->read_end = (int)n;
	return n;
}

bool stream_is_reset(const struct stream *s)
{
	/* A receive that ran ahead has been told of it, and nobody else is. */
	if (s->read_end < 0)
		return true;
	return s->ops->is_reset ? s->ops->is_reset(s)
				: socket_is_reset(stream_descriptor(s));
}

void stream_leave_reading(struct stream *s)
{
	s->reader = NULL;
}

void stream_unread(struct stream *s, struct chunk *c)
{
	assert(!s->reader);
	chunk_queue_push_first(&s->unread, c);
}

void stream_unread_all(struct stream *s, struct chunk_queue *q)
{
	assert(!s->reader && !s->unread.head);
	s->unread = *q;
	*q = (struct chunk_queue){ 0 };
}

void stream_take_all(struct stream *s, struct chunk_queue *q)
{
	*q = s->unread;
	s->unread = (struct chunk_queue){ 0 };
}

void stream_received(struct stream *s, struct chunk *c, int result)
{
	struct stream_reader *r = s->reader;

	s->reading = false;
	s->reader = NULL;
	if (s->closing) {
		chunk_give(c);
		return;
	}
	/* EAGAIN would read as "nothing yet"; a backend waits, it is no end. */
	if (result == -EAGAIN)
		result = -EIO;
	if (result <= 0)
		s->read_end = result;
	if (r)
		r->received(r, c, result);
	else if (c)
		chunk_queue_push(&s->unread, c);
}

/* A wait has ended; who reads may have changed since it began. */
void stream_ready(struct stream *s, int result)
{
	struct stream_reader *r = s->reader;

	if (result < 0 && !s->closing) {
		stream_received(s, NULL, result);
		return;
	}
	s->reading = false;
	if (!r || s->closing)
		return;
	if (!s->readiness) {
		s->reading = true;
		s->ops->read(s);
		return;
	}
	s->reader = NULL;
	r->received(r, NULL, 1);
}

static void write_rest(struct stream *s)
{
	struct chunk *c = s->sending;

	s->ops->write(s, chunk_bytes(c), chunk_length(c), s->more);
}

void stream_write(
	struct stream *s, struct chunk *c, bool more, struct stream_writer *w)
{
	assert(!s->closing && !s->finished && !stream_is_writing(s));
	assert(chunk_length(c) > 0);
	s->sending = c;
	s->writer = w;
	s->more = more;
	write_rest(s);
}

void stream_leave_writing(struct stream *s)
{
	s->writer = NULL;
}

void stream_sent(struct stream *s, int result)
{
	struct chunk *c = s->sending;
	struct stream_writer *w = s->writer;

	if (result > 0)
		c->from += (uint32_t)result;
	if (result > 0 && chunk_length(c) > 0 && !s->closing) {
		write_rest(s);
		return;
	}
	s->sending = NULL;
	s->writer = NULL;
	if (w && !s->closing)
		w->sent(w, c, result < 0 ? result : 0);
	else
		chunk_give(c);
}

void stream_await_room(struct stream *s, struct stream_writer *w)
{
	assert(!s->closing && !s->finished && !stream_is_writing(s));
	s->writer = w;
	s->awaits_room = true;
	s->ops->await_room(s);
}

void stream_room(struct stream *s, int result)
{
	struct stream_writer *w = s->writer;

	s->awaits_room = false;
	s->writer = NULL;
	if (w && !s->closing)
		w->sent(w, NULL, result < 0 ? result : 0);
}

ssize_t stream_splice_out(struct stream *s, struct pipe *p)
{
	assert(!s->closing && !s->finished && !stream_is_writing(s));
	return s->ops->splice_out(s, p);
}

int stream_finish(struct stream *s)
{
	assert(!stream_is_writing(s));
	if (s->finished)
		return 0;
	s->finished = true;
	return s->ops->finish(s);
}

void stream_close(struct stream **sp, bool cut)
{
	struct stream *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	assert(!s->closing);
	s->closing = true;
	s->reader = NULL;
	s->writer = NULL;
	chunk_queue_clear(&s->unread);
	s->ops->close(s, cut || stream_is_writing(s));
}
