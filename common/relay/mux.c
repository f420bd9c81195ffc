/* SPDX-License-Identifier: Apache-2.0 */

/* The life of a mux: how it begins, keeps alive, and ends. */

#include "common/relay/mux.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event/loop.h"
#include "common/relay/mux_internal.h"

/* --- calls, and what the last of them frees --- */

void mux_enter(struct mux *m)
{
	m->depth++;
}

/* The connection is closed: nobody is owed anything. */
static void forgive(struct mux *m)
{
	struct list *owes;

	chunk_give(m->batch);
	m->batch = NULL;
	while ((owes = list_take(&m->owing))) {
		struct mux_stream *s =
			container_of(owes, struct mux_stream, owes);

		s->owed = 0;
		mux_stream_settle(s);
	}
}

static void free_dead(struct mux *m)
{
	struct list *dead;

	while ((dead = list_take(&m->dead))) {
		pool_give(m->all->streams,
			container_of(dead, struct mux_stream, owes));
		m->streams--;
	}
}

static void free_mux(struct mux *m)
{
	loop_cancel_timer(m->all->loop, &m->soon);
	mux_table_clear(&m->table);
	pool_give(m->all->pool, m);
}

void mux_leave(struct mux *m)
{
	if (m->depth > 1) {
		m->depth--;
		return;
	}
	mux_push(m);
	if (m->state == MUX_GONE)
		forgive(m);
	free_dead(m);
	m->depth = 0;
	if (m->closed && m->told && m->state == MUX_GONE && m->streams == 0)
		free_mux(m);
}

/* --- timers --- */

static void asking_ends(struct timer *t)
{
	struct mux *m = container_of(t, struct mux, asking);
	struct mux_stream *s =
		container_of(m->asked.next, struct mux_stream, wait);

	mux_enter(m);
	if (list_empty(&m->asked) || s->until > m->all->loop->now) {
		mux_watch(m);
	} else {
		count(m->all->loop->counters, mux_timeouts);
		mux_end(m, -ETIMEDOUT, "the peer did not accept a stream",
			MUX_POLITELY);
	}
	mux_leave(m);
}

/* The peer goes on with what we have closed: no longer. */
static void lingering_ends(struct timer *t)
{
	struct mux *m = container_of(t, struct mux, lingering);

	mux_enter(m);
	while (!list_empty(&m->lingers)) {
		struct mux_stream *s =
			container_of(m->lingers.next, struct mux_stream, wait);

		if (s->until > m->all->loop->now)
			break;
		mux_stream_cut(s, MUX_OWES_RST, true);
	}
	mux_watch(m);
	mux_leave(m);
}

static void watch(
	struct mux *m, const struct list *list, struct timer *t, timer_fn *fire)
{
	struct mux_stream *first =
		container_of(list->next, struct mux_stream, wait);

	if (!list_empty(list) && !timer_is_set(t) && m->state == MUX_OPEN)
		loop_set_timer(m->all->loop, t,
			first->until - m->all->loop->now, fire);
}

void mux_watch(struct mux *m)
{
	watch(m, &m->asked, &m->asking, asking_ends);
	watch(m, &m->lingers, &m->lingering, lingering_ends);
}

static void keep_alive(struct timer *t);

static void send_ping(struct mux *m)
{
	struct yamux_frame ping = {
		.type = YAMUX_PING, .flags = YAMUX_SYN, .length = ++m->ping_id
	};

	m->pinging = true;
	m->pinged = m->all->loop->now;
	mux_say(m, &ping);
	if (m->state == MUX_OPEN)
		loop_set_timer(
			m->all->loop, &m->keep, MUX_PONG_TIME, keep_alive);
}

/* When the answer is too late, if nothing comes until then. */
static int64_t too_late(const struct mux *m)
{
	int64_t heard = m->heard > m->pinged ? m->heard : m->pinged;
	int64_t late = heard + MUX_PONG_TIME;
	int64_t latest = m->pinged + MUX_PONG_LATEST;

	return late < latest ? late : latest;
}

static void keep_alive(struct timer *t)
{
	struct mux *m = container_of(t, struct mux, keep);
	int64_t left = too_late(m) - m->all->loop->now;

	mux_enter(m);
	if (!m->pinging) {
		send_ping(m);
	} else if (left > 0) {
		loop_set_timer(m->all->loop, t, left, keep_alive);
	} else {
		count(m->all->loop->counters, mux_timeouts);
		mux_end(m, -ETIMEDOUT, "the peer did not answer a ping",
			MUX_AT_ONCE);
	}
	mux_leave(m);
}

void mux_answered(struct mux *m)
{
	int64_t next = m->pinged + m->all->ping - m->all->loop->now;

	m->pinging = false;
	loop_set_timer(m->all->loop, &m->keep, next > 0 ? next : 0, keep_alive);
}

/* --- the end --- */

static void mux_set_state(struct mux *m, enum mux_state state)
{
	assert(state > m->state);
	m->state = (uint8_t)state;
}

void mux_gone(struct mux *m, bool cut)
{
	loop_cancel_timer(m->all->loop, &m->keep);
	stream_close(&m->below, cut);
	mux_set_state(m, MUX_GONE);
}

/* A write in flight comes back with an error at once; it is waited for. */
static void cut(struct mux *m)
{
	if (!stream_is_writing(m->below)) {
		mux_gone(m, m->result != 0);
		return;
	}
	loop_cancel_timer(m->all->loop, &m->keep);
	shutdown(stream_descriptor(m->below), SHUT_RDWR);
	mux_set_state(m, MUX_CUT);
}

static void leaving_ends(struct timer *t)
{
	struct mux *m = container_of(t, struct mux, keep);

	mux_enter(m);
	cut(m);
	mux_leave(m);
}

/* All streams hear of the end, then the owner. */
static void tell(struct mux *m)
{
	struct mux_stream *s;
	uint32_t at = 0;

	m->told = true;
	while ((s = mux_table_any(&m->table, &at))) {
		bool known = !(s->owed & MUX_OWES_SYN);

		mux_stream_cut(s, known ? s->owed & MUX_OWES_FIN : 0, false);
	}
	if (!m->closed)
		m->all->ended(m, m->result, m->why);
}

static void soon(struct timer *t)
{
	struct mux *m = container_of(t, struct mux, soon);
	struct list *turn;

	mux_enter(m);
	if (m->state == MUX_OPEN && !m->begun) {
		m->begun = true;
		mux_read(m);
	}
	if (m->state != MUX_OPEN && !m->told)
		tell(m);
	while ((turn = list_take(&m->failing)))
		stream_sent(
			&container_of(turn, struct mux_stream, turn)->stream,
			-ECONNRESET);
	mux_leave(m);
}

void mux_soon(struct mux *m)
{
	loop_set_timer(m->all->loop, &m->soon, 0, soon);
}

void mux_lost(struct mux *m, int result)
{
	const char *why = stream_trouble(m->below);

	if (m->state == MUX_OPEN)
		m->just_lost = !why;
	if (!why)
		why = result < 0 ? "the connection failed"
				 : "the peer has closed the connection";
	mux_end(m, result, why, MUX_AT_ONCE);
}

void mux_end(struct mux *m, int result, const char *why, enum mux_how how)
{
	struct loop *l = m->all->loop;

	if (m->state == MUX_OPEN) {
		m->result = result;
		m->why = why;
		loop_cancel_timer(l, &m->asking);
		loop_cancel_timer(l, &m->lingering);
		mux_set_state(m, MUX_LEAVING);
		loop_set_timer(l, &m->keep, MUX_LEAVE_TIME, leaving_ends);
		mux_soon(m);
	}
	if (m->state == MUX_LEAVING && how == MUX_AT_ONCE)
		cut(m);
}

void mux_close(struct mux **mp)
{
	struct mux *m = *mp;

	if (!m)
		return;
	*mp = NULL;
	assert(!m->closed);
	mux_enter(m);
	m->closed = true;
	mux_end(m, 0, NULL, MUX_POLITELY);
	mux_leave(m);
}

/* --- the beginning --- */

static void init_lists(struct mux *m)
{
	struct list *lists[] = { &m->riders, &m->owing, &m->ready, &m->queued,
		&m->asked, &m->lingers, &m->failing, &m->dead };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		list_init(lists[i]);
	for (size_t i = 0; i < MUX_CLASSES; i++)
		list_init(&m->holders[i]);
}

struct mux *mux_open(struct muxes *all, struct stream *below)
{
	struct mux *m = pool_take(all->pool);

	if (!m || !mux_table_init(&m->table)) {
		if (m)
			pool_give(all->pool, m);
		stream_close(&below, true);
		return NULL;
	}
	m->all = all;
	m->below = below;
	m->reader.received = mux_received;
	m->writer.sent = mux_sent;
	m->next_id = all->accepted ? 2 : 1;
	m->heard = all->loop->now;
	init_lists(m);
	below->steady = true;
	if (all->ping > 0)
		loop_set_timer(all->loop, &m->keep, all->ping, keep_alive);
	count(all->loop->counters, mux_sessions);
	mux_soon(m);
	return m;
}

int mux_open_stream(struct mux *m, struct stream **s_r)
{
	struct mux_stream *s;

	*s_r = NULL;
	if (m->state != MUX_OPEN)
		return -ENOTCONN;
	if (m->peer_leaves)
		return -ESHUTDOWN;
	if (m->table.count >= m->all->streams_max || m->next_id >= UINT32_MAX)
		return -ENOBUFS;
	s = mux_stream_make(m, m->next_id, MUX_STREAM_QUEUED);
	if (!s)
		return -ENOBUFS;
	m->next_id += 2;
	*s_r = &s->stream;
	mux_enter(m);
	s->owed = MUX_OWES_SYN;
	if (m->opening < YAMUX_BACKLOG)
		mux_stream_set_state(s, MUX_STREAM_NEW);
	else
		list_append(&m->queued, &s->wait);
	mux_leave(m);
	return 0;
}
