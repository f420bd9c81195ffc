/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/stream.h"

#include <assert.h>
#include <errno.h>

void stream_init(struct stream *s, struct loop *l, const struct stream_ops *ops)
{
	s->ops = ops;
	s->loop = l;
	s->read_end = 1;
}

int stream_take(struct stream *s, struct chunk **c_r)
{
	*c_r = chunk_queue_pop(&s->unread);
	if (*c_r)
		return (int)chunk_length(*c_r);
	return s->read_end == 1 ? -EAGAIN : s->read_end;
}

void stream_read(struct stream *s, struct stream_reader *r)
{
	assert(!s->closing && !s->unread.head && s->read_end == 1);
	s->reader = r;
	if (s->reading)
		return;
	s->reading = true;
	s->ops->read(s);
}

void stream_leave_reading(struct stream *s)
{
	s->reader = NULL;
}

void stream_unread(struct stream *s, struct chunk *c)
{
	struct chunk *rest = s->unread.head;

	assert(!s->reader);
	c->next = rest;
	s->unread.head = c;
	if (!rest)
		s->unread.tail = c;
}

void stream_unread_all(struct stream *s, struct chunk_queue *q)
{
	assert(!s->reader && !s->unread.head);
	s->unread = *q;
	*q = (struct chunk_queue){ 0 };
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

static void write_rest(struct stream *s)
{
	struct chunk *c = s->sending;

	s->ops->write(s, chunk_bytes(c), chunk_length(c), s->more);
}

void stream_write(
	struct stream *s, struct chunk *c, bool more, struct stream_writer *w)
{
	assert(!s->closing && !s->finished && !s->sending);
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

int stream_finish(struct stream *s)
{
	assert(!s->sending);
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
	s->ops->close(s, cut || s->sending);
}
