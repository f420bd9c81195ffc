/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/service.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/wire/capability.h"
#include "server/registry/directory.h"
#include "server/worker.h"

/* The stream is the caller's again. */
static struct stream *service_leave(struct service *k)
{
	struct worker *w = k->worker;
	struct stream *s = k->stream;

	list_remove(&k->link);
	list_remove(&k->age);
	if (!k->private)
		k->route->services--;
	if (s->reader == &k->reader)
		stream_leave_reading(s);
	pool_give(w->pools.services, k);
	quota_give(&w->server->works);
	return s;
}

static void service_end(struct service *k, bool cut)
{
	struct stream *s = service_leave(k);

	stream_close(&s, cut);
}

/* --- strikes --- */

struct strike_letter {
	struct letter letter;
	struct handle entry; /* of the route, each worker's own */
};

static void strike_route(struct worker *w, struct route *r)
{
	r->struck_until = worker_loop(w)->now + SERVICE_STRIKE;
	services_leave(r);
}

static void deliver_strike(struct mailbox *m, struct letter *letter)
{
	const struct strike_letter *s = (struct strike_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct route *r = directory_find(&w->directory, s->entry);

	if (r)
		strike_route(w, r);
}

static void tell_others(struct worker *w, const struct route *r)
{
	for (uint32_t i = 0; i < w->server->worker_count; i++) {
		struct strike_letter *s;

		if (i == w->index)
			continue;
		s = letter_new(sizeof(*s));
		s->entry = r->entry;
		worker_post(w, i, &s->letter, deliver_strike);
	}
}

void service_strike(struct worker *w, struct route *r)
{
	int64_t left = r->struck_until - worker_loop(w)->now;

	count(&w->core.counters, http_strikes);
	strike_route(w, r);
	/* One that always does it is not told of each time. */
	if (left > SERVICE_STRIKE / 2)
		return;
	log_warn("[%.64s] a service has spoken without being asked: its "
		 "connections are not shared for 10 minutes",
		route_name(r));
	tell_others(w, r);
}

static bool is_struck(const struct worker *w, const struct route *r)
{
	return r->struck_until > worker_loop(w)->now;
}

/* Nothing has come from the service, not even its end. */
static bool is_silent(struct worker *w, struct route *r, struct stream *s)
{
	struct chunk *early;
	int n = stream_take(s, &early);

	if (n == -EAGAIN)
		return true;
	chunk_give(early);
	if (n > 0)
		service_strike(w, r);
	return false;
}

/* It died, or spoke before it was asked. */
static void service_received(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct service *k = container_of(r, struct service, reader);
	struct worker *w = k->worker;
	struct route *route = k->route;

	chunk_give(c);
	service_end(k, result != 0);
	if (result > 0)
		service_strike(w, route);
}

static void services_late(struct timer *t)
{
	struct services *all = container_of(t, struct services, timer);

	while (!list_empty(&all->age)) {
		struct service *k =
			container_of(all->age.next, struct service, age);
		struct loop *l = worker_loop(k->worker);

		if (k->until > l->now) {
			loop_set_timer(l, t, k->until - l->now, services_late);
			return;
		}
		service_end(k, false);
	}
}

void services_init(struct worker *w)
{
	list_init(&w->services.age);
}

/* Whose requests may follow on the route's connections, at most. */
static enum settings_reuse class_of(
	const struct worker *w, const struct route *r)
{
	enum settings_reuse class =
		(enum settings_reuse)w->settings->http_reuse;

	/*
	 * frpc may have written the first visitor's address to the service
	 * (PROXY protocol), which the server does not know; adit does not.
	 */
	if (class == SETTINGS_REUSE_SHARED &&
		!(r->claim->caps & CAPABILITY_reuse))
		return SETTINGS_REUSE_ADDRESS;
	return class;
}

static bool may_rest(
	struct worker *w, struct route *r, struct stream *s, bool private)
{
	if (r->closed || w->core.stopping || !is_silent(w, r, s))
		return false;
	return private ||
	       (r->services < w->settings->http_idle_works && !is_struck(w, r));
}

/*
 * How long it rests: below what it says it keeps the connection for, by the
 * second that it may round and the way to it and back.
 */
static int64_t rest_time(const struct stream *s, uint32_t keeps_s, bool private)
{
	int64_t most = private ? SERVICE_PRIVATE : SERVICE_IDLE;
	int64_t keeps = (int64_t)keeps_s * CLOCK_SECOND - CLOCK_SECOND;

	if (keeps_s == 0 || keeps > most + CLOCK_SECOND)
		return most;
	keeps -= socket_rtt(stream_descriptor(s));
	return keeps < most ? keeps : most;
}

/* Few say how long: the place is most often the last one. */
static void insert_by_age(struct services *all, struct service *k)
{
	struct list *at = all->age.prev;

	while (at != &all->age &&
		container_of(at, struct service, age)->until > k->until)
		at = at->prev;
	list_prepend(at, &k->age);
	if (all->age.next == &k->age)
		loop_set_timer(worker_loop(k->worker), &all->timer,
			k->until - worker_loop(k->worker)->now, services_late);
}

struct handle service_rest(struct worker *w, struct route *r, struct stream *s,
	const struct service_facts *facts)
{
	enum settings_reuse class = class_of(w, r);
	bool private = facts->private || class == SETTINGS_REUSE_VISITOR;
	int64_t time = rest_time(s, facts->keeps_s, private);
	struct service *k = NULL;

	if ((class != SETTINGS_REUSE_NEVER || facts->private) && time > 0 &&
		may_rest(w, r, s, private) && quota_take(&w->server->works)) {
		k = pool_take(w->pools.services);
		if (!k)
			quota_give(&w->server->works);
	}
	if (!k) {
		stream_close(&s, false);
		return (struct handle){ 0 };
	}
	k->worker = w;
	k->route = r;
	k->stream = s;
	k->visitor = facts->visitor;
	k->private = private;
	k->reader.received = service_received;
	k->since = worker_loop(w)->now;
	k->until = k->since + time;
	list_prepend(&r->idle, &k->link);
	if (!private)
		r->services++;
	insert_by_age(&w->services, k);
	stream_read(s, &k->reader);
	return pool_handle(k);
}

/* It serves again; NULL: it has just died, or spoken. */
static struct stream *service_wake(struct service *k)
{
	struct worker *w = k->worker;
	struct route *r = k->route;
	struct stream *s = service_leave(k);

	if (is_silent(w, r, s))
		count(&w->core.counters, http_reused);
	else
		stream_close(&s, true);
	return s;
}

/* The one that has rested the shortest. */
static struct service *find(const struct route *r, const struct address *of)
{
	list_each (l, &r->idle) {
		struct service *k = container_of(l, struct service, link);

		if (!k->private && (!of || address_same_host(&k->visitor, of)))
			return k;
	}
	return NULL;
}

struct stream *service_take(
	struct worker *w, struct route *r, const struct address *visitor)
{
	bool shared = class_of(w, r) == SETTINGS_REUSE_SHARED;
	struct stream *s = NULL;
	struct service *k;

	while (!s && (k = find(r, shared ? NULL : visitor)))
		s = service_wake(k);
	return s;
}

struct stream *service_take_last(struct worker *w, struct route *r,
	struct handle last, bool may_repeat, bool *known_r)
{
	struct service *k = pool_find(w->pools.services, last);

	*known_r = false;
	if (!k || k->route != r)
		return NULL;
	*known_r = k->private;
	if (!k->private && !may_repeat &&
		worker_loop(w)->now - k->since >= SERVICE_FRESH)
		return NULL;
	return service_wake(k);
}

struct route *service_pinned_to(struct worker *w, struct handle last)
{
	const struct service *k = pool_find(w->pools.services, last);

	return k && k->private ? k->route : NULL;
}

void service_forget(struct worker *w, struct handle last)
{
	struct service *k = pool_find(w->pools.services, last);

	if (k && k->private)
		service_end(k, false);
}

void services_leave(struct route *r)
{
	list_each_safe (l, &r->idle)
		service_end(container_of(l, struct service, link), false);
}

void services_scatter(struct worker *w)
{
	list_each_safe (l, &w->services.age) {
		struct service *k = container_of(l, struct service, age);

		if (!k->private)
			service_end(k, false);
	}
}

void services_close(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->services.timer);
	list_each_safe (l, &w->services.age)
		service_end(container_of(l, struct service, age), false);
}
