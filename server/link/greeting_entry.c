/* SPDX-License-Identifier: Apache-2.0 */

/* How connections come in, and how many may say more than their first words. */

#include "server/link/greeting_internal.h"

#include "common/event/loop.h"
#include "common/relay/raw_stream.h"
#include "server/worker.h"

/* How often it is looked whether those that wait have room. */
#define ADMIT_PAUSE (10 * CLOCK_MS)

static uint32_t waiting_max(const struct worker *w)
{
	uint32_t share = GREETINGS_WAITING / w->server->worker_count;

	return share > GREETINGS_WAITING_MIN ? share : GREETINGS_WAITING_MIN;
}

static bool is_stranger(const struct greeting *g)
{
	return !g->entered && g->state != GREETING_QUEUED;
}

void greeting_unlist(struct greeting *g)
{
	if (is_stranger(g))
		g->worker->stranger_count--;
	else if (!g->entered)
		g->worker->queue_length--;
	list_remove(&g->place);
}

bool greeting_take_room(struct greeting *g)
{
	struct worker *w = g->worker;
	enum half_open_room room;

	if (g->entered)
		return true;
	room = half_open_enter(&w->server->half_open, g->address, g->resumes);
	if (room == HALF_OPEN_NONE)
		return false;
	greeting_unlist(g);
	list_append(&w->greetings, &g->place);
	g->entered = true;
	g->known_only = room == HALF_OPEN_KNOWN;
	return true;
}

static void admit(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, admit_timer);

	list_each_safe (l, &w->queue) {
		struct greeting *g = container_of(l, struct greeting, place);

		if (greeting_take_room(g))
			greeting_read(g);
	}
	if (w->queue_length > 0)
		loop_set_timer(
			worker_loop(w), &w->admit_timer, ADMIT_PAUSE, admit);
}

/* It waits with these words, which are unread again; they are in a chunk of
 * just their size, for as long as it takes. */
static void wait_for_room(struct greeting *g, struct chunk *words)
{
	struct worker *w = g->worker;

	stream_unread(g->stream, words);
	greeting_unlist(g);
	greeting_set_state(g, GREETING_QUEUED);
	list_append(&w->queue, &g->place);
	w->queue_length++;
	count(&w->core.counters, greetings_queued);
	if (!timer_is_set(&w->admit_timer))
		loop_set_timer(
			worker_loop(w), &w->admit_timer, ADMIT_PAUSE, admit);
}

bool greeting_enter(struct greeting *g, struct chunk *words, bool resumes)
{
	struct worker *w = g->worker;
	struct chunk *kept = NULL;

	g->resumes = resumes;
	if (greeting_take_room(g))
		return true;
	if (w->queue_length <
			waiting_max(w) / 2 +
				half_open_expected(&w->server->half_open) &&
		chunk_length(words) <= GREETING_WORDS_MAX)
		kept = chunk_copy(chunk_bytes(words), chunk_length(words));
	chunk_give(words);
	if (kept)
		wait_for_room(g, kept);
	else
		greeting_close(g, REASON_limit);
	return false;
}

/* Of the strangers the one that came first has had the most time; but what
 * comes in one burst is heard first. */
static void make_room(struct listener *l)
{
	struct worker *w = l->worker;
	uint32_t max =
		waiting_max(w) + half_open_expected(&w->server->half_open);

	while (w->stranger_count + w->queue_length >= max &&
		!list_empty(&w->strangers)) {
		struct greeting *g =
			container_of(w->strangers.next, struct greeting, place);

		if (worker_loop(w)->now - g->since < GREETING_GRACE) {
			listener_pause(l);
			return;
		}
		count(&w->core.counters, greetings_displaced);
		greeting_close(g, REASON_limit);
	}
}

void greeting_accept(struct listener *l, int fd)
{
	struct worker *w = l->worker;
	struct stream *s =
		raw_stream_open(w->pools.streams, worker_loop(w), fd);
	struct link link = { 0 };
	struct greeting *g;

	/* The half that is left is for those who come before the pause. */
	if (!s || pool_used(w->pools.greetings) - w->stream_greetings >=
			  pool_limit(w->pools.greetings) / 2)
		listener_pause(l);
	if (!s) {
		w->core.counters.ended[REASON_limit]++;
		return;
	}
	address_of_peer(&link.peer, fd);
	make_room(l);
	g = greeting_new(w, s, &link);
	if (!g)
		return;
	g->address = half_open_place(&w->server->half_open, &link.peer);
	list_append(&w->strangers, &g->place);
	w->stranger_count++;
	greeting_read(g);
}

static void cut(struct list *greetings)
{
	list_each_safe (l, greetings)
		greeting_close(container_of(l, struct greeting, place),
			REASON_shutdown);
}

void greetings_cut(struct worker *w)
{
	cut(&w->strangers);
	cut(&w->queue);
	cut(&w->greetings);
}
