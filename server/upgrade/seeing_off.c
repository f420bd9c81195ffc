/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/seeing_off.h"

#include "common/wire/capability.h"
#include "server/control/control.h"
#include "server/http/service.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* How often it is looked who may go. */
#define PERIOD (10 * CLOCK_MS)

/* The next visitor, from `at` on, that is served by its work connections. */
static struct visitor *used_by(
	const struct worker *w, const struct control *c, const struct list *at)
{
	const struct ref me = worker_ref(w, c);

	for (; at != &w->visitors; at = at->next) {
		struct visitor *v = container_of(at, struct visitor, link);

		if (v->state == VISITOR_RELAYING &&
			ref_is_same(v->route->claim->control, me))
			return v;
	}
	return NULL;
}

/* The control is over; what ends with it? */
struct parting {
	struct ref control;
	bool any;
};

static void part_services(struct route *r, void *arg)
{
	struct parting *p = arg;

	if (list_empty(&r->idle) || !ref_is_same(r->claim->control, p->control))
		return;
	services_leave(r);
	p->any = true;
}

/*
 * What frpc ends with its session is ended before that: its yamux lets the
 * readers of all streams spin while a session ends, and was busy with 200 of
 * them for up to 15 seconds. False: there is nothing.
 */
static bool part(struct worker *w, const struct control *c)
{
	struct parting p = { .control = worker_ref(w, c) };
	const struct list *at = w->visitors.next;
	struct visitor *v;

	if (!c->session.generation)
		return false;
	directory_each(&w->directory, part_services, &p);
	while ((v = used_by(w, c, at))) {
		at = v->link.next;
		visitor_close(v, REASON_work_lost);
		p.any = true;
	}
	return p.any;
}

/* Whether its work connections have had their time. */
static bool is_over(const struct worker *w, const struct control *c)
{
	int64_t left = w->seeing_off.until - worker_loop(w)->now;

	return left <= 0 || (left < SEEING_OFF_STAYS - SEEING_OFF_SETTLES &&
				    !used_by(w, c, w->visitors.next));
}

/* Whether somebody is here who has not said who it is: it may be a client, and
 * one that is refused at its first login ends. Who is silent has less time. */
static bool has_comers(const struct worker *w, int64_t left)
{
	return !list_empty(&w->greetings) || !list_empty(&w->queue) ||
	       (left > 0 && !list_empty(&w->strangers));
}

/*
 * The clients go to the other one: those that know how at once. An frpc
 * takes its work connections along, so it stays a little longer: until those
 * that have just been started are known to it, and what is short is over.
 */
static void see_off(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, seeing_off.timer);
	int64_t left = w->seeing_off.until - worker_loop(w)->now;

	list_each_safe (l, &w->controls) {
		struct control *c = container_of(l, struct control, link);

		/* It is sent on when it has its answer. */
		if (c->state == CONTROL_CLAIMED)
			continue;
		if (c->caps & CAPABILITY_move || (is_over(w, c) && !part(w, c)))
			control_move(c);
	}
	if (!list_empty(&w->controls) || has_comers(w, left)) {
		loop_set_timer(worker_loop(w), t, PERIOD, see_off);
		return;
	}
	atomic_fetch_add(&w->server->alone, 1);
	worker_visitor_gone(w);
}

void seeing_off_begin(struct worker *w)
{
	w->seeing_off.until = worker_loop(w)->now + SEEING_OFF_STAYS;
	see_off(&w->seeing_off.timer);
}

void seeing_off_stop(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->seeing_off.timer);
}
