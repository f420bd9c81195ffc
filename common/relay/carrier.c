/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Out: the header goes into the headroom of the chunk, or before the pipe.
 * In: headers are taken out of the chunk where it lies.
 */

#include "common/relay/carrier.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event/loop.h"

static void carrier_settle(struct carrier *c);

static void carrier_free(struct carrier *c, bool cut)
{
	if (c->waits)
		chunk_give(c->stream.sending);
	list_remove(&c->ending);
	stream_close(&c->link, cut);
	if (c->all->gone)
		c->all->gone(c);
	pool_give(c->all->pool, c);
}

void carriers_cut(struct carriers *all)
{
	list_each_safe (l, &all->ending)
		carrier_free(container_of(l, struct carrier, ending), true);
	if (all->loop)
		loop_cancel_timer(all->loop, &all->timer);
}

/* --- out --- */

/* A frame of so many bytes begins. */
static void open_frame(struct carrier *c, uint32_t n)
{
	struct carry_frame f = { c->in.visit ? CARRY_DATA : CARRY_START, n };

	carry_encode(c->out_head, &f);
	c->out_unsent = CARRY_HEADER;
	c->out_left = n;
	if (c->sent <= CARRIER_DRAIN_MAX)
		c->sent += n;
}

/* The stream's chunk goes to the link, with what its frame still lacks. */
static void send_chunk(struct carrier *c)
{
	struct chunk *k = c->stream.sending;
	uint32_t n = chunk_length(k);

	if (c->out_left == 0) {
		open_frame(c, n);
		if (!c->in.visit) {
			inlet_begin(&c->in);
			c->out = CARRY_OPEN;
		}
	}
	assert(n <= c->out_left);
	c->waits = false;
	c->writing = n;
	k->from -= c->out_unsent;
	memcpy(chunk_bytes(k), c->out_head + CARRY_HEADER - c->out_unsent,
		c->out_unsent);
	c->out_unsent = 0;
	stream_write(c->link, k, c->stream.more, &c->writer);
}

/* END or ABORT; without memory the link itself is the abort. */
static void send_last_word(struct carrier *c)
{
	struct carry_frame f = { (enum carry_type)c->last_word, 0 };
	struct chunk *k = chunk_take(c->stream.loop->chunks);

	c->last_word = 0;
	if (!k) {
		c->broken = true;
		return;
	}
	carry_encode(k->data, &f);
	k->to = CARRY_HEADER;
	stream_write(c->link, k, false, &c->writer);
}

/* Hand the link what it is to send next. */
static void carrier_push(struct carrier *c)
{
	if (stream_is_writing(c->link))
		return;
	if (c->waits)
		send_chunk(c);
	else if (c->last_word)
		send_last_word(c);
}

static void carrier_sent(struct stream_writer *w, struct chunk *k, int result)
{
	struct carrier *c = container_of(w, struct carrier, writer);
	bool closing = c->stream.closing;

	if (result < 0)
		c->broken = true;
	if (!k) {
		stream_room(&c->stream, result);
	} else if (c->writing > 0) {
		uint32_t n = c->writing;

		c->writing = 0;
		c->out_left -= n;
		k->from = (int32_t)(k->to - n);
		/* The visit may be closed in here, and the carrier gone. */
		stream_sent(&c->stream, result < 0 ? result : (int)n);
	} else {
		chunk_give(k);
		carrier_push(c);
	}
	if (closing) {
		carrier_push(c);
		carrier_settle(c);
	}
}

static void carrier_write(
	struct stream *s, const void *data, uint32_t n, bool more)
{
	struct carrier *c = carrier_of(s);

	(void)data;
	(void)n;
	(void)more;
	c->waits = true;
	carrier_push(c);
}

static void end_direction(struct carrier *c, enum carry_type how)
{
	c->last_word = (uint8_t)how;
	c->out = CARRY_CLOSED;
	carrier_push(c);
}

static int carrier_finish(struct stream *s)
{
	struct carrier *c = carrier_of(s);

	if (c->broken)
		return -EPIPE;
	if (c->out == CARRY_OPEN)
		end_direction(c, CARRY_END);
	return c->broken ? -EPIPE : 0;
}

/* --- in --- */

/* The bytes from `at` to `end` came after the visit: they are the link's. */
static int give_back(
	struct carrier *c, const struct chunk *k, uint32_t at, uint32_t end)
{
	struct chunk *rest;

	/* The next visit begins only when both sides have ended this one. */
	if (c->all->starts || c->out != CARRY_CLOSED)
		return -EPROTO;
	rest = chunk_copy(k->data + at, end - at);
	if (!rest)
		return -ENOMEM;
	stream_unread(c->link, rest);
	return 0;
}

/* Leave the visit's bytes in the chunk, and nothing else; 0 or -errno. */
static int unframe(struct carrier *c, struct chunk *k)
{
	uint32_t end = k->to, rest;
	bool visit = c->in.visit;
	int rc = inlet_unframe(&c->in, k, &rest);

	if (!visit && c->in.visit)
		c->out = CARRY_OPEN;
	return rc < 0 || rest == end ? rc : give_back(c, k, rest, end);
}

/* How the visit's reading has ended; 1: it has not. */
static int read_end(struct carrier *c)
{
	if (!inlet_ended(&c->in))
		return 1;
	if (c->heard == 0)
		c->heard = c->stream.loop->now;
	return c->in.aborted ? -ECONNRESET : 0;
}

/* The link has failed, or ended, or broken the rules. */
static void carrier_break(struct carrier *c, int why)
{
	c->broken = true;
	if (c->stream.closing)
		carrier_settle(c);
	else
		stream_received(&c->stream, NULL, why);
}

static void carrier_read(struct stream *s)
{
	struct carrier *c = carrier_of(s);

	c->link->gulp = s->gulp;
	if (s->readiness && !s->closing)
		stream_await(c->link, &c->reader);
	else
		stream_read(c->link, &c->reader);
}

static void carrier_received(
	struct stream_reader *r, struct chunk *k, int result)
{
	struct carrier *c = container_of(r, struct carrier, reader);
	struct stream *s = &c->stream;
	int end;

	s->backlog = c->link->backlog;
	if (!k && result > 0) {
		stream_ready(s, 1);
		return;
	}
	if (!k) {
		/* An idle connection may end; a visit may not end so. */
		carrier_break(
			c, result == 0 && c->in.visit ? -ECONNRESET : result);
		return;
	}
	result = unframe(c, k);
	if (result < 0) {
		chunk_give(k);
		carrier_break(c, result);
		return;
	}
	if (s->closing) {
		c->drained += chunk_length(k);
		chunk_give(k);
		carrier_settle(c);
		return;
	}
	end = read_end(c);
	if (chunk_length(k) > 0) {
		s->read_end = end;
		s->ending = end == 0;
		stream_received(s, k, (int)chunk_length(k));
		return;
	}
	chunk_give(k);
	if (end != 1)
		stream_received(s, NULL, end);
	else
		carrier_read(s);
}

/* What the link has read ahead. */
static void carrier_fetch(struct stream *s)
{
	struct carrier *c = carrier_of(s);

	while (!s->unread.head && s->read_end == 1) {
		struct chunk *k;
		int n = stream_take(c->link, &k);

		if (n == -EAGAIN)
			return;
		if (n > 0)
			n = unframe(c, k);
		else
			n = n == 0 && c->in.visit ? -ECONNRESET : n;
		s->read_end = read_end(c);
		if (n < 0 || !k) {
			c->broken = true;
			s->read_end = n;
		}
		if (n == 0 && k && chunk_length(k) > 0)
			chunk_queue_push(&s->unread, k);
		else
			chunk_give(k);
	}
}

/* --- through a pipe --- */

/* Read a header straight from the socket: 0, -EAGAIN or -errno. */
static int fetch_header(struct carrier *c)
{
	ssize_t n = recv(stream_descriptor(c->link), c->in.head + c->in.have,
		(size_t)(CARRY_HEADER - c->in.have), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	c->in.have += (uint8_t)n;
	if (c->in.have < CARRY_HEADER)
		return -EAGAIN;
	return inlet_header(&c->in);
}

static ssize_t carrier_splice_in(struct stream *s, struct pipe *p, uint32_t max)
{
	struct carrier *c = carrier_of(s);
	ssize_t n = 0;

	if (c->in.left == 0)
		n = fetch_header(c);
	if (n == 0 && inlet_ended(&c->in))
		return read_end(c);
	if (n == 0) {
		n = stream_splice_in(
			c->link, p, max < c->in.left ? max : c->in.left);
		n = n == 0 ? -ECONNRESET : n;
	}
	if (n > 0)
		c->in.left -= (uint32_t)n;
	else if (n != -EAGAIN)
		c->broken = true;
	return n;
}

static ssize_t carrier_splice_out(struct stream *s, struct pipe *p)
{
	struct carrier *c = carrier_of(s);
	ssize_t n;

	if (c->out_left == 0)
		open_frame(c, p->bytes);
	if (c->out_unsent > 0) {
		n = send(stream_descriptor(c->link),
			c->out_head + CARRY_HEADER - c->out_unsent,
			c->out_unsent, MSG_DONTWAIT | MSG_MORE | MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
		c->out_unsent -= (uint8_t)n;
		if (c->out_unsent > 0)
			return -EAGAIN;
	}
	n = stream_splice_out(c->link, p);
	if (n > 0)
		c->out_left -= (uint32_t)n;
	return n;
}

static void carrier_await_room(struct stream *s)
{
	struct carrier *c = carrier_of(s);

	stream_await_room(c->link, &c->writer);
}

/* --- the end of a visit --- */

/* The next visit may come. */
static void carrier_renew(struct carrier *c)
{
	struct stream old = c->stream;

	list_remove(&c->ending);
	c->stream = (struct stream){ 0 };
	stream_init(&c->stream, old.loop, old.ops);
	c->link->gulp = STREAM_CHUNK;
	inlet_reset(&c->in, c->all->starts);
	c->heard = c->drained = c->sent = 0;
	count(old.loop->counters, work_conns_reused);
	c->all->again(c);
}

/* Closed: see what is still missing. */
static void carrier_settle(struct carrier *c)
{
	struct chunk *k;

	while (!c->broken && !inlet_ended(&c->in) && !c->link->reading) {
		int n = stream_take(c->link, &k);

		if (n == -EAGAIN)
			break;
		c->broken = n <= 0 || unframe(c, k) < 0;
		c->drained += k ? chunk_length(k) : 0;
		chunk_give(k);
	}
	if (c->broken || c->drained > CARRIER_DRAIN_MAX)
		carrier_free(c, true);
	else if (!inlet_ended(&c->in))
		carrier_read(&c->stream);
	else if (stream_is_writing(c->link) || c->last_word)
		return;
	else if (carrier_may_renew(c))
		carrier_renew(c);
	else
		carrier_free(c, false);
}

static void patience_ends(struct timer *t)
{
	struct carriers *all = container_of(t, struct carriers, timer);

	while (!list_empty(&all->ending)) {
		struct carrier *c =
			container_of(all->ending.next, struct carrier, ending);

		if (c->until > all->loop->now) {
			loop_set_timer(all->loop, t, c->until - all->loop->now,
				patience_ends);
			return;
		}
		carrier_free(c, true);
	}
}

static void carrier_close(struct stream *s, bool cut)
{
	struct carrier *c = carrier_of(s);
	struct carriers *all = c->all;

	/* Idle, useless, or in the middle of a frame whose bytes are lost. */
	if (!c->in.visit || c->broken || c->out_left > c->writing) {
		/* An idle one ends: a cut would tear off what came last. */
		carrier_free(c, c->in.visit || c->broken);
		return;
	}
	if (c->out == CARRY_OPEN)
		end_direction(c, cut ? CARRY_ABORT : CARRY_END);
	c->until = s->loop->now + CARRIER_PATIENCE;
	list_append(&all->ending, &c->ending);
	if (!timer_is_set(&all->timer))
		loop_set_timer(all->loop, &all->timer, CARRIER_PATIENCE,
			patience_ends);
	carrier_settle(c);
}

static int carrier_descriptor(const struct stream *s)
{
	return stream_descriptor(
		container_of(s, const struct carrier, stream)->link);
}

static const struct stream_ops carrier_ops = {
	.read = carrier_read,
	.fetch = carrier_fetch,
	.write = carrier_write,
	.finish = carrier_finish,
	.close = carrier_close,
	.descriptor = carrier_descriptor,
	.await = carrier_read,
	.await_room = carrier_await_room,
	.splice_in = carrier_splice_in,
	.splice_out = carrier_splice_out,
};

/* Over a link whose bytes no pipe can take. */
static const struct stream_ops copying_ops = {
	.read = carrier_read,
	.fetch = carrier_fetch,
	.write = carrier_write,
	.finish = carrier_finish,
	.close = carrier_close,
	.descriptor = carrier_descriptor,
};

bool carrier_is(const struct stream *s)
{
	return s->ops->fetch == carrier_fetch;
}

struct carrier *carrier_open(
	struct carriers *all, struct stream *link, struct chunk *first)
{
	struct carrier *c = pool_take(all->pool);

	if (!c) {
		chunk_give(first);
		stream_close(&link, true);
		return NULL;
	}
	c->all = all;
	c->link = link;
	c->reader.received = carrier_received;
	c->writer.sent = carrier_sent;
	inlet_reset(&c->in, all->starts);
	c->out = CARRY_CLOSED;
	list_init(&c->ending);
	stream_init(&c->stream, link->loop,
		stream_can_splice(link) ? &carrier_ops : &copying_ops);
	link->steady = all->steady;
	if (first)
		stream_write(link, first, false, &c->writer);
	return c;
}
