/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/session.h"

#include "common/base/log.h"
#include "common/event/loop.h"
#include "server/link/greeting.h"
#include "server/worker.h"

static struct session *session_of(struct mux *m)
{
	return container_of(m, struct session, mux);
}

static void set_state(struct session *s, enum session_state state)
{
	if (s->state == SESSION_STRANGER)
		half_open_leave(&s->worker->server->half_open, s->address);
	s->state = (uint8_t)state;
}

void session_close(struct session *s)
{
	struct mux *m = &s->mux;

	/* Whatever its streams still say. */
	set_state(s, SESSION_KNOWN);
	loop_cancel_timer(worker_loop(s->worker), &s->idle);
	list_remove(&s->place);
	mux_close(&m);
}

static void session_ended(struct mux *m, int result, const char *why)
{
	struct session *s = session_of(m);
	char peer[ADDRESS_TEXT_SIZE];

	address_text(&s->link.peer, peer);
	log_debug("session of [%s] ended: %s", peer, why);
	(void)result;
	session_close(s);
}

static void session_accepted(struct mux *m, struct stream *stream)
{
	struct session *s = session_of(m);
	bool early = s->state != SESSION_KNOWN;

	if (s->silent == SESSION_SILENT_MAX ||
		(early && s->first == SESSION_FIRST_STREAMS)) {
		s->worker->core.counters.ended[REASON_limit]++;
		stream_close(&stream, true);
		return;
	}
	s->first += early;
	s->silent++;
	greeting_begin(s->worker, stream, &s->link);
}

void session_heard(struct worker *w, struct handle session)
{
	struct session *s = pool_find(w->pools.sessions, session);

	if (s)
		s->silent--;
}

void session_admit(struct worker *w, struct handle session, bool proven)
{
	struct session *s = pool_find(w->pools.sessions, session);

	if (s && s->state != SESSION_KNOWN)
		set_state(s, proven ? SESSION_KNOWN : SESSION_GUEST);
}

static void session_watch(struct session *s);

static void session_looks(struct timer *t)
{
	struct session *s = container_of(t, struct session, idle);

	if (s->state != SESSION_STRANGER && mux_streams(&s->mux) > 0)
		session_watch(s);
	else
		session_close(s);
}

static void session_watch(struct session *s)
{
	struct worker *w = s->worker;

	loop_set_timer(worker_loop(w), &s->idle,
		w->settings->first_message_timeout_ms * CLOCK_MS,
		session_looks);
}

void session_open(struct worker *w, struct stream *stream,
	const struct link *link, uint32_t address)
{
	struct mux *m = mux_open(&w->muxes, stream);
	struct session *s;

	if (!m) {
		w->core.counters.ended[REASON_limit]++;
		half_open_leave(&w->server->half_open, address);
		return;
	}
	s = session_of(m);
	s->worker = w;
	s->address = address;
	s->link = *link;
	s->link.session = pool_handle(s);
	list_append(&w->sessions, &s->place);
	session_watch(s);
}

void session_init(struct worker *w)
{
	const struct settings *set = w->settings;

	w->muxes = (struct muxes){
		.loop = worker_loop(w),
		.pool = w->pools.sessions,
		.streams = w->pools.mux_streams,
		.streams_max = SESSION_STREAMS_MAX,
		.held_max = MUX_HELD_USUAL,
		.window_max = YAMUX_WINDOW_MAX,
		.ping = set->mux_keepalive_s * CLOCK_SECOND,
		.accepted = session_accepted,
		.ended = session_ended,
	};
}
