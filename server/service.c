/* SPDX-License-Identifier: Apache-2.0 */

#include "server/service.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/wire/capability.h"
#include "server/directory.h"
#include "server/worker.h"

/* The stream is the caller's again. */
static struct stream *service_leave(struct service *k)
{
	struct worker *w = k->worker;
	struct stream *s = k->stream;

	list_remove(&k->link);
	list_remove(&k->age);
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

/* It died, or spoke before it was asked. */
static void service_received(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct service *k = container_of(r, struct service, reader);
	struct worker *w = k->worker;

	chunk_give(c);
	if (result > 0) {
		count(&w->core.counters, http_strikes);
		log_warn("[%.64s] a service has spoken without being asked: "
			 "its connections are not shared for 10 minutes",
			route_name(k->route));
		k->route->struck_until = worker_loop(w)->now + SERVICE_STRIKE;
	}
	service_end(k, result != 0);
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

static bool may_rest(struct worker *w, const struct route *r, struct stream *s)
{
	struct chunk *early;

	if (r->closed || w->core.stopping || r->services == SERVICES_MAX ||
		r->struck_until > worker_loop(w)->now)
		return false;
	if (stream_take(s, &early) == -EAGAIN)
		return true;
	chunk_give(early);
	return false;
}

void service_rest(struct worker *w, struct route *r, struct stream *s,
	const struct address *visitor)
{
	struct service *k = NULL;

	if (may_rest(w, r, s) && quota_take(&w->server->works)) {
		k = pool_take(w->pools.services);
		if (!k)
			quota_give(&w->server->works);
	}
	if (!k) {
		stream_close(&s, false);
		return;
	}
	k->worker = w;
	k->route = r;
	k->stream = s;
	k->visitor = *visitor;
	k->reader.received = service_received;
	k->until = worker_loop(w)->now + SERVICE_IDLE;
	list_prepend(&r->idle, &k->link);
	list_append(&w->services.age, &k->age);
	r->services++;
	if (!timer_is_set(&w->services.timer))
		loop_set_timer(worker_loop(w), &w->services.timer, SERVICE_IDLE,
			services_late);
	stream_read(s, &k->reader);
}

/*
 * frpc may have written the first visitor's address to the service (PROXY
 * protocol), which the server does not know; adit does not.
 */
static bool may_serve(const struct service *k, const struct address *visitor)
{
	return k->route->claim->caps & CAPABILITY_reuse ||
	       address_same_host(&k->visitor, visitor);
}

struct stream *service_take(
	struct worker *w, struct route *r, const struct address *visitor)
{
	list_each_safe (l, &r->idle) {
		struct service *k = container_of(l, struct service, link);
		struct stream *s;
		struct chunk *early;

		if (!may_serve(k, visitor))
			continue;
		s = service_leave(k);
		if (stream_take(s, &early) == -EAGAIN) {
			count(&w->core.counters, http_reused);
			return s;
		}
		chunk_give(early);
		stream_close(&s, true);
	}
	return NULL;
}

void services_leave(struct route *r)
{
	list_each_safe (l, &r->idle)
		service_end(container_of(l, struct service, link), false);
}

void services_close(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->services.timer);
	list_each_safe (l, &w->services.age)
		service_end(container_of(l, struct service, age), false);
}
