/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/yielding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"
#include "common/wire/capability.h"
#include "server/control/control.h"
#include "server/upgrade/handover.h"
#include "server/http/http_visitor.h"
#include "server/listener.h"
#include "server/registry/registry.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* How often it is looked whether a step is done, or the other end has room. */
#define PERIOD (2 * CLOCK_MS)
#define PASS_PERIOD (20 * CLOCK_MS)
#define SEE_OFF_PERIOD (10 * CLOCK_MS)

struct step_letter {
	struct letter letter;
	enum yielding_state state;
	uint32_t round;
};

/* --- listeners --- */

/* Something to be done with each listener of visitors. */
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

static void hold(struct listeners_walk *walk, struct listener **l)
{
	(void)walk;
	listener_hold(*l);
}

static void release(struct listeners_walk *walk, struct listener **l)
{
	(void)walk;
	listener_keep(*l, false);
	listener_release(*l);
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

static bool is_still(struct worker *w)
{
	struct listeners_walk walk = { .visit = look };

	walk_visitors(w, &walk);
	return !walk.moving;
}

/* --- steps --- */

/* Whether somebody here needs what the other one gets from now on. */
static bool is_pending(const struct visitor *v)
{
	switch (v->state) {
	case VISITOR_ASKING:
	case VISITOR_WAITING:
	case VISITOR_STARTING:
		return true;
	case VISITOR_HEAD:
		return !http_visitor_is_between(v);
	default:
		return false;
	}
}

static bool has_pending(const struct worker *w)
{
	/* Perhaps on its way to here. */
	if (atomic_load(&w->server->moving) > 0)
		return true;
	list_each (l, &w->visitors)
		if (is_pending(container_of(l, struct visitor, link)))
			return true;
	return false;
}

static void finish(struct worker *w, uint32_t round)
{
	w->yielding.done = true;
	loop_cancel_timer(worker_loop(w), &w->yielding.timer);
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
	if (w->control_port)
		collect(&walk, &w->control_port);
	walk_visitors(w, &walk);
	for (size_t i = 0; i < kept; i++)
		y->fds[walk.n++] = rest->v[i].fd;
	y->fd_count = walk.n;
	if (w->index == 0)
		y->proxies = registry_proxies(w->server->registry);
}

static void check(struct timer *t)
{
	struct yielding *y = container_of(t, struct yielding, timer);
	struct worker *w = container_of(y, struct worker, yielding);
	bool late = worker_loop(w)->now > y->until;
	bool done = late || !has_pending(w);

	if (y->state == YIELDING_VISITORS)
		done = done && is_still(w);
	else if (y->state == YIELDING_CLIENTS)
		done = done && listener_is_still(w->control_port);
	if (!done) {
		loop_set_timer(worker_loop(w), &y->timer, PERIOD, check);
		return;
	}
	if (y->state == YIELDING_CLIENTS)
		list_sockets(w);
	finish(w, atomic_load(&y->round) + 1);
}

static void resume(struct worker *w)
{
	struct listeners_walk walk = { .visit = release };

	loop_cancel_timer(worker_loop(w), &w->yielding.timer);
	if (w->control_port)
		release(&walk, &w->control_port);
	walk_visitors(w, &walk);
	list_each_safe (l, &w->visitors)
		http_visitor_resume(container_of(l, struct visitor, link));
}

/* Whether something is under way by its work connections. */
static bool is_used(const struct worker *w, const struct control *c)
{
	const struct ref me = worker_ref(w, c);

	list_each (l, &w->visitors) {
		const struct visitor *v = container_of(l, struct visitor, link);

		if (v->state == VISITOR_RELAYING &&
			ref_is_same(v->route->claim->control, me))
			return true;
	}
	return false;
}

/*
 * The clients go to the other one: those that know how at once. An frpc
 * takes its work connections along, so it stays a little longer: until those
 * that have just been started are known to it, and what is short is over.
 */
static void see_off(struct timer *t)
{
	struct yielding *y = container_of(t, struct yielding, timer);
	struct worker *w = container_of(y, struct worker, yielding);
	int64_t left = y->until - worker_loop(w)->now;

	list_each_safe (l, &w->controls) {
		struct control *c = container_of(l, struct control, link);

		if (c->caps & CAPABILITY_move || left <= 0 ||
			(left < YIELDING_STAYS - YIELDING_SETTLES &&
				!is_used(w, c)))
			control_move(c);
	}
	if (!list_empty(&w->controls))
		loop_set_timer(worker_loop(w), t, SEE_OFF_PERIOD, see_off);
}

static void depart(struct worker *w)
{
	struct listeners_walk walk = { .visit = leave };

	if (w->control_port)
		leave(&walk, &w->control_port);
	walk_visitors(w, &walk);
}

static void deliver_step(struct mailbox *m, struct letter *letter)
{
	const struct step_letter *l = (struct step_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct listeners_walk walk = { .visit = hold };
	struct yielding *y = &w->yielding;

	y->state = l->state;
	y->done = false;
	atomic_store(&y->round, l->round - 1);
	switch (l->state) {
	case YIELDING_VISITORS:
		walk_visitors(w, &walk);
		y->until = worker_loop(w)->now + YIELDING_PATIENCE;
		break;
	case YIELDING_CLIENTS:
		listener_hold(w->control_port);
		break;
	case YIELDING_LEFT:
		depart(w);
		break;
	case YIELDING_NOT:
		resume(w);
		break;
	}
	if (y->state == YIELDING_NOT || y->state == YIELDING_LEFT)
		finish(w, l->round);
	else
		check(&y->timer);
	if (y->state == YIELDING_LEFT) {
		y->until = worker_loop(w)->now + YIELDING_STAYS;
		see_off(&y->timer);
	}
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

/* --- visitors that go --- */

/* All that it has said, one behind the other; -1: too much. */
static ssize_t join_bytes(const struct stream *s, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	for (const struct chunk *c = s->unread.head; c; c = c->next) {
		size_t size = chunk_length(c);

		if (size > room - n)
			return -1;
		memcpy(bytes + n, chunk_bytes(c), size);
		n += size;
	}
	return (ssize_t)n;
}

/* It is the other's: nothing is left of it here. */
static void forget(struct visitor *v)
{
	struct worker *w = v->worker;
	struct chunk_queue unread;
	struct raw_rest rest;
	struct route *r;

	stream_take_all(v->stream, &unread);
	chunk_queue_clear(&unread);
	raw_stream_rest(&v->stream, &rest, NULL);
	close(rest.fd);
	http_visit_free(&v->http);
	visitor_load_give(&v->load);
	r = visitor_leave(v);
	route_drop(&r);
	quota_give(&w->server->visitors);
	count(&w->core.counters, visitors_passed);
	worker_visitor_gone(w);
}

/* Nothing of it is in flight. */
static void pass(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);
	struct worker *w = v->worker;
	uint8_t bytes[HANDOVER_BYTES];
	ssize_t size = join_bytes(v->stream, bytes, sizeof(bytes));
	int fd = stream_descriptor(v->stream), rc = -EMSGSIZE;

	if (size >= 0)
		rc = handover_send(w->server->upgrade.peer, HANDOVER_VISITOR, 0,
			&fd, 1, bytes, (size_t)size);
	if (rc == 0)
		forget(v);
	else if (rc == -EAGAIN)
		loop_set_timer(worker_loop(w), &v->timer, PASS_PERIOD, pass);
	else
		visitor_close(v, REASON_shutdown);
}

static void stilled(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);
	const struct stream *s = v->stream;

	(void)c;
	(void)result;
	if (v->state != VISITOR_HEAD)
		return;
	if (s->read_end < 0)
		visitor_close(v, REASON_visitor_gone);
	else if (s->read_end == 0 && !s->unread.head)
		visitor_close(v, REASON_peer_closed);
	else
		pass(&v->timer);
}

/* Nobody up the stack looks at it. */
static void pass_soon(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	if (stream_is_writing(v->stream)) {
		loop_set_timer(
			worker_loop(v->worker), &v->timer, PERIOD, pass_soon);
		return;
	}
	v->reader.received = stilled;
	if (raw_stream_still(v->stream, &v->reader))
		stilled(&v->reader, NULL, 1);
}

void yielding_pass(struct visitor *v)
{
	if (layer_is(v->stream)) {
		visitor_close(v, REASON_done);
		return;
	}
	stream_leave_reading(v->stream);
	loop_set_timer(worker_loop(v->worker), &v->timer, 0, pass_soon);
}

void yielding_stop(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->yielding.timer);
	free(w->yielding.fds);
	w->yielding.fds = NULL;
}
