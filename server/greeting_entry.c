/* SPDX-License-Identifier: Apache-2.0 */

/* How connections come in, and how many are read at a time. */

#include "server/greeting_internal.h"

#include "common/base/log.h"
#include "common/event/loop.h"
#include "common/relay/raw_stream.h"
#include "server/keyring.h"
#include "server/worker.h"

/* How often it is looked whether those that wait have room. */
#define ADMIT_PAUSE (10 * CLOCK_MS)

/* While there are many, only clients that have been here are served: a session
 * that resumes costs no signature. */
static void watch_the_crowd(struct worker *w)
{
	bool crowded = half_open_is_crowded(&w->server->half_open);

	if (w->crowded == crowded)
		return;
	w->crowded = crowded;
	tls_context_set_crowded(w->keyring->frp, crowded);
	tls_context_set_crowded(w->keyring->adit, crowded);
}

/* It is read from now on, if there is room for it. */
static bool greeting_enter(struct greeting *g)
{
	struct worker *w = g->worker;

	g->counted = half_open_enter(&w->server->half_open, g->address);
	if (!g->counted)
		return false;
	watch_the_crowd(w);
	greeting_read(g);
	return true;
}

static void admit(struct timer *t)
{
	greetings_admit(container_of(t, struct worker, admit_timer));
}

void greetings_admit(struct worker *w)
{
	list_each_safe (l, &w->greetings) {
		struct greeting *g = container_of(l, struct greeting, place);

		if (g->state != GREETING_QUEUED)
			continue;
		w->queued--;
		if (!greeting_enter(g))
			w->queued++;
	}
	watch_the_crowd(w);
	if (w->queued > 0)
		loop_set_timer(
			worker_loop(w), &w->admit_timer, ADMIT_PAUSE, admit);
}

/* The last quarter is for those who need not wait: who dials without end from
 * an address that is full leaves it to those from elsewhere. */
static bool may_wait(const struct worker *w)
{
	return pool_used(w->pools.greetings) <=
	       pool_limit(w->pools.greetings) / 4 * 3;
}

void greeting_accept(struct listener *l, int fd)
{
	struct worker *w = l->worker;
	struct stream *s =
		raw_stream_open(w->pools.streams, worker_loop(w), fd);
	struct link link = { 0 };
	struct greeting *g;

	/* The half that is left is for those who come before the pause. */
	if (!s || pool_used(w->pools.greetings) >=
			  pool_limit(w->pools.greetings) / 2)
		listener_pause(l);
	if (!s) {
		w->core.counters.ended[REASON_limit]++;
		return;
	}
	address_of_peer(&link.peer, fd);
	g = greeting_new(w, s, &link);
	if (!g)
		return;
	g->address = half_open_place(&w->server->half_open, &link.peer);
	if (greeting_enter(g))
		return;
	w->queued++;
	if (!may_wait(w)) {
		greeting_close(g, REASON_limit);
		return;
	}
	count(&w->core.counters, greetings_queued);
	if (!timer_is_set(&w->admit_timer))
		loop_set_timer(
			worker_loop(w), &w->admit_timer, ADMIT_PAUSE, admit);
}
