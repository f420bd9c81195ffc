/* SPDX-License-Identifier: Apache-2.0 */

/* One stream of a mux: what its reader, its writer and its owner ask of it. */

#include <assert.h>
#include <errno.h>

#include "common/event/loop.h"
#include "common/relay/mux_internal.h"

/* A SYN less is out: the next one may go. */
static void open_next(struct mux *m)
{
	struct list *next = m->queued.next;

	m->opening--;
	if (next == &m->queued)
		return;
	mux_stream_set_state(
		container_of(next, struct mux_stream, wait), MUX_STREAM_NEW);
}

/* The peer is to end it, too. */
static void linger(struct mux_stream *s)
{
	struct mux *m = s->mux;

	s->until = m->all->loop->now + MUX_CLOSE_TIME;
	list_append(&m->lingers, &s->wait);
	mux_watch(m);
}

/* Out of the table: what comes for its id is nobody's from now on. */
static void forget(struct mux_stream *s)
{
	struct mux *m = s->mux;

	mux_table_remove(&m->table, s);
	m->grown -= s->window.size - YAMUX_WINDOW;
	if (m->payload == s)
		m->payload = NULL;
	if (s->flying == 0)
		list_remove(&s->turn);
}

void mux_stream_set_state(struct mux_stream *s, enum mux_stream_state state)
{
	struct mux *m = s->mux;
	bool counted =
		s->state == MUX_STREAM_NEW || s->state == MUX_STREAM_ASKED;

	assert(s->state != MUX_STREAM_OFF && state != s->state);
	list_remove(&s->wait);
	s->state = (uint8_t)state;
	switch (state) {
	case MUX_STREAM_QUEUED:
		never_reached();
	case MUX_STREAM_NEW:
		m->opening++;
		list_append(&m->owing, &s->owes);
		mux_stream_turn(s);
		return;
	case MUX_STREAM_ASKED:
		s->until = m->all->loop->now + MUX_OPEN_TIME;
		list_append(&m->asked, &s->wait);
		mux_watch(m);
		return;
	case MUX_STREAM_OPEN:
		if (s->stream.closing)
			linger(s);
		break;
	case MUX_STREAM_OFF:
		forget(s);
		break;
	}
	if (counted)
		open_next(m);
}

void mux_stream_owe(struct mux_stream *s, unsigned owed)
{
	s->owed |= (uint8_t)owed;
	if (s->state != MUX_STREAM_QUEUED && list_empty(&s->owes))
		list_append(&s->mux->owing, &s->owes);
}

/* It is off, and owes nothing but this. */
static void leave_off(struct mux_stream *s, unsigned owed)
{
	s->mux->unaccepted -= (s->owed & MUX_OWES_ACK) != 0;
	s->owed = 0;
	list_remove(&s->owes);
	mux_stream_set_state(s, MUX_STREAM_OFF);
	if (owed)
		mux_stream_owe(s, owed);
}

void mux_stream_turn(struct mux_stream *s)
{
	bool may = s->state != MUX_STREAM_QUEUED && s->state != MUX_STREAM_OFF;

	if (may && s->stream.sending && s->flying == 0 && s->may_send > 0 &&
		list_empty(&s->turn))
		list_append(&s->mux->ready, &s->turn);
}

void mux_stream_drained(struct mux_stream *s)
{
	if (s->state != MUX_STREAM_OFF && s->in_end == 1 &&
		!s->stream.closing && !(s->owed & MUX_OWES_CREDIT) &&
		yamux_window_is_due(&s->window, s->unread))
		mux_stream_owe(s, MUX_OWES_CREDIT);
}

void mux_stream_settle(struct mux_stream *s)
{
	if (s->stream.closing && s->state == MUX_STREAM_OFF && s->owed == 0 &&
		s->flying == 0 && list_empty(&s->owes))
		list_append(&s->mux->dead, &s->owes);
}

void mux_stream_ended(struct mux_stream *s)
{
	s->in_end = 0;
	if (s->stream.finished)
		mux_stream_set_state(s, MUX_STREAM_OFF);
	if (s->stream.reading)
		stream_received(&s->stream, NULL, 0);
	mux_stream_settle(s);
}

/* What waits is not sent; its writer hears so. */
static void fail_writer(struct mux_stream *s)
{
	list_remove(&s->turn);
	stream_sent(&s->stream, -ECONNRESET);
}

void mux_stream_cut(struct mux_stream *s, unsigned owed, bool drop)
{
	/* The peer may be done with it, and only its reader not. */
	if (s->state != MUX_STREAM_OFF)
		leave_off(s, owed);
	if (drop)
		mux_drop(s);
	if (drop || s->in_end == 1)
		s->in_end = -ECONNRESET;
	if (s->stream.sending && s->flying == 0)
		fail_writer(s);
	if (s->stream.reading)
		stream_received(&s->stream, NULL, s->in_end);
	mux_stream_settle(s);
}

static void stream_read_op(struct stream *st)
{
	struct mux_stream *s = mux_stream_of(st);

	/* As stream_take has said. */
	assert(!s->in.head && s->in_end == 1);
	(void)s;
}

static void stream_fetch_op(struct stream *st)
{
	struct mux_stream *s = mux_stream_of(st);
	struct chunk *k = mux_release(s);

	if (!k) {
		st->read_end = s->in_end;
		return;
	}
	chunk_queue_push(&st->unread, k);
	st->ending = !s->in.head && s->in_end == 0;
	mux_enter(s->mux);
	mux_stream_drained(s);
	mux_leave(s->mux);
}

static void stream_write_op(
	struct stream *st, const void *data, uint32_t n, bool more)
{
	struct mux_stream *s = mux_stream_of(st);

	(void)data;
	(void)n;
	(void)more;
	mux_enter(s->mux);
	if (s->state == MUX_STREAM_OFF) {
		list_append(&s->mux->failing, &s->turn);
		mux_soon(s->mux);
	} else {
		mux_stream_turn(s);
	}
	mux_leave(s->mux);
}

static int stream_finish_op(struct stream *st)
{
	struct mux_stream *s = mux_stream_of(st);

	if (s->state == MUX_STREAM_OFF)
		return -EPIPE;
	mux_enter(s->mux);
	mux_stream_owe(s, MUX_OWES_FIN);
	if (s->in_end == 0)
		mux_stream_set_state(s, MUX_STREAM_OFF);
	mux_leave(s->mux);
	return 0;
}

static void close_known(struct mux_stream *s, bool cut)
{
	if (s->owed & MUX_OWES_SYN) {
		/* The peer has not heard of it yet, and need not. */
		leave_off(s, 0);
	} else if (cut) {
		leave_off(s, MUX_OWES_RST);
	} else {
		if (!s->stream.finished)
			mux_stream_owe(s, MUX_OWES_FIN);
		s->stream.finished = true;
		if (s->in_end == 0)
			mux_stream_set_state(s, MUX_STREAM_OFF);
		else if (s->state == MUX_STREAM_OPEN)
			linger(s);
	}
}

static void stream_close_op(struct stream *st, bool cut)
{
	struct mux_stream *s = mux_stream_of(st);
	struct mux *m = s->mux;

	mux_enter(m);
	mux_drop(s);
	if (st->sending && s->flying == 0)
		fail_writer(s);
	if (s->state != MUX_STREAM_OFF)
		close_known(s, cut);
	mux_stream_settle(s);
	mux_leave(m);
}

static int stream_descriptor_op(const struct stream *st)
{
	const struct mux *m =
		container_of(st, const struct mux_stream, stream)->mux;

	return m->below ? stream_descriptor(m->below) : -1;
}

static bool stream_is_reset_op(const struct stream *st)
{
	return container_of(st, struct mux_stream, stream)->in_end < 0;
}

/* That of the mux; a stream alone has none. */
static const char *stream_trouble_op(const struct stream *stream)
{
	const struct mux_stream *s =
		container_of(stream, struct mux_stream, stream);

	return s->mux->just_lost ? NULL : s->mux->why;
}

static const struct stream_ops mux_stream_ops = {
	.read = stream_read_op,
	.fetch = stream_fetch_op,
	.write = stream_write_op,
	.finish = stream_finish_op,
	.close = stream_close_op,
	.descriptor = stream_descriptor_op,
	.trouble = stream_trouble_op,
	.is_reset = stream_is_reset_op,
};

struct mux_stream *mux_stream_make(
	struct mux *m, uint32_t id, enum mux_stream_state state)
{
	struct mux_stream *s = pool_take(m->all->streams);

	if (!s)
		return NULL;
	stream_init(&s->stream, m->all->loop, &mux_stream_ops);
	s->mux = m;
	s->id = id;
	s->in_end = 1;
	s->may_send = YAMUX_WINDOW;
	s->state = (uint8_t)state;
	yamux_window_init(&s->window);
	list_init(&s->holder);
	list_init(&s->owes);
	list_init(&s->turn);
	list_init(&s->wait);
	mux_table_add(&m->table, s);
	m->streams++;
	count(m->all->loop->counters, mux_streams);
	return s;
}
