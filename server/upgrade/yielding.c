/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/yielding.h"

#include <stdlib.h>

#include "server/listener.h"
#include "server/registry/registry.h"
#include "server/upgrade/passing.h"
#include "server/upgrade/seeing_off.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* How often it is looked whether a step is done. */
#define PERIOD (2 * CLOCK_MS)

struct step_letter {
	struct letter letter;
	enum yielding_state state;
	uint32_t round;
};

/* --- listeners --- */

/* Something to be done with each listener. */
struct listeners_walk {
	void (*visit)(struct listeners_walk *walk, struct listener **l);
	bool moving; /* an accept is in flight */
	int *fds;    /* room for `most` */
	size_t n, most;
};

static void visit_route(struct route *r, void *arg)
{
	struct listeners_walk *walk = arg;

	if (r->listener)
		walk->visit(walk, &r->listener);
}

static void walk_visitors(struct worker *w, struct listeners_walk *walk)
{
	if (w->http_port)
		walk->visit(walk, &w->http_port);
	if (w->https_port)
		walk->visit(walk, &w->https_port);
	directory_each(&w->directory, visit_route, walk);
}

static void walk_all(struct worker *w, struct listeners_walk *walk)
{
	if (w->control_port)
		walk->visit(walk, &w->control_port);
	walk_visitors(w, walk);
}

static void hold(struct listeners_walk *walk, struct listener **l)
{
	(void)walk;
	listener_hold(*l);
}

static void release(struct listeners_walk *walk, struct listener **l)
{
	(void)walk;
	listener_keep(*l, false);
	listener_release(*l, 0);
}

static void look(struct listeners_walk *walk, struct listener **l)
{
	walk->moving |= !listener_is_still(*l);
}

static void collect(struct listeners_walk *walk, struct listener **l)
{
	/* Some worker may hear before this one that the other has it. */
	listener_keep(*l, true);
	walk->n += listener_fds(*l, walk->fds + walk->n, walk->most - walk->n);
}

static void leave(struct listeners_walk *walk, struct listener **l)
{
	(void)walk;
	listener_keep(*l, true);
	listener_close(l);
}

/* Nobody comes any more, and no listener. */
static bool is_still(struct worker *w)
{
	struct listeners_walk walk = { .visit = look };

	walk_all(w, &walk);
	return !walk.moving &&
	       (w->index > 0 || registry_is_still(w->server->registry));
}

/* --- steps --- */

static void finish(struct worker *w, uint32_t round)
{
	atomic_store(&w->yielding.round, round);
	host_wake(&w->server->host);
}

static void list_sockets(struct worker *w)
{
	struct yielding *y = &w->yielding;
	const struct inherited *rest = &w->server->inherited;
	size_t kept = w->index == 0 ? rest->n : 0;
	struct listeners_walk walk = { .visit = collect,
		.most = pool_used(w->pools.listeners) };

	free(y->fds);
	y->fds = walk.fds = letter_new((walk.most + kept + 1) * sizeof(int));
	walk_all(w, &walk);
	for (size_t i = 0; i < kept; i++)
		y->fds[walk.n++] = rest->v[i].fd;
	y->fd_count = walk.n;
}

static void list_proxies(struct worker *w)
{
	struct yielding *y = &w->yielding;

	free(y->proxies);
	y->proxies = registry_list(w->server->registry, &y->proxies_size);
}

/* Whether somebody here waits for a work connection. */
static bool has_waiting(const struct worker *w)
{
	list_each (l, &w->visitors) {
		const struct visitor *v = container_of(l, struct visitor, link);

		if (v->state == VISITOR_ASKING || v->state == VISITOR_WAITING)
			return true;
	}
	return false;
}

static bool is_done(struct worker *w)
{
	const struct yielding *y = &w->yielding;

	if (y->state == YIELDING_VISITORS)
		return worker_loop(w)->now > y->until || !has_waiting(w);
	return is_still(w);
}

static void check(struct timer *t)
{
	struct yielding *y = container_of(t, struct yielding, timer);
	struct worker *w = container_of(y, struct worker, yielding);

	if (!is_done(w)) {
		loop_set_timer(worker_loop(w), &y->timer, PERIOD, check);
		return;
	}
	finish(w, atomic_load(&y->round) + 1);
}

static void resume(struct worker *w)
{
	struct listeners_walk walk = { .visit = release };

	loop_cancel_timer(worker_loop(w), &w->yielding.timer);
	walk_all(w, &walk);
	if (!worker_holds(w))
		worker_let_in(w);
	if (w->index == 0)
		registry_go_on(w->server->registry);
}

static void depart(struct worker *w)
{
	struct listeners_walk walk = { .visit = leave };

	walk_all(w, &walk);
}

static void deliver_step(struct mailbox *m, struct letter *letter)
{
	const struct step_letter *l = (struct step_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct listeners_walk walk = { .visit = hold };
	struct yielding *y = &w->yielding;

	y->state = l->state;
	atomic_store(&y->round, l->round - 1);
	switch (y->state) {
	case YIELDING_NOT:
		resume(w);
		break;
	case YIELDING_VISITORS:
		walk_visitors(w, &walk);
		y->until = worker_loop(w)->now + YIELDING_PATIENCE;
		check(&y->timer);
		return;
	case YIELDING_HOLDING:
		listener_hold(w->control_port);
		check(&y->timer);
		return;
	case YIELDING_LISTED:
		list_sockets(w);
		if (w->index == 0)
			list_proxies(w);
		break;
	case YIELDING_LEFT:
		depart(w);
		passing_begin_all(w);
		/* Logins; they are sent on then. */
		if (w->index == 0)
			registry_go_on(w->server->registry);
		break;
	case YIELDING_ALONE:
		seeing_off_begin(w);
		break;
	}
	finish(w, l->round);
}

void yielding_post(struct server *s, enum yielding_state state, uint32_t round)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct step_letter *l = letter_new(sizeof(*l));

		l->state = state;
		l->round = round;
		mailbox_post(
			&s->workers[i]->core.mailbox, &l->letter, deliver_step);
	}
}

bool yielding_is_done(const struct server *s, uint32_t round)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (atomic_load(&s->workers[i]->yielding.round) != round)
			return false;
	return true;
}

bool yielding_holds(const struct worker *w)
{
	return w->yielding.state != YIELDING_NOT;
}

bool yielding_has_left(const struct worker *w)
{
	return w->yielding.state >= YIELDING_LEFT;
}

void yielding_stop(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->yielding.timer);
	free(w->yielding.fds);
	free(w->yielding.proxies);
	w->yielding.fds = NULL;
	w->yielding.proxies = NULL;
}
