/* SPDX-License-Identifier: Apache-2.0 */

#include "server/visitor/visitor_internal.h"

#include <assert.h>
#include <errno.h>

#include "common/base/log.h"
#include "common/relay/layer.h"
#include "common/relay/wrap.h"
#include "common/wire/capability.h"
#include "server/http/http_visitor.h"
#include "server/listener.h"
#include "server/control/matchmaker.h"
#include "server/link/start.h"
#include "server/upgrade/passing.h"
#include "server/worker.h"

/* How many others of a group a request is offered to. */
#define VISITOR_DETOURS 3

void visitor_set_state(struct visitor *v, enum visitor_state state)
{
	assert(v->state != VISITOR_CLOSED);
	assert(state != VISITOR_RELAYING || v->state == VISITOR_STARTING);
	v->state = state;
}

static void visitor_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	count(&v->worker->core.counters, visitors_timeout);
	log_warn("[%.64s] no work connection came in time",
		route_name(v->route));
	/* A work connection may be on its way to it. */
	visitor_detour(v, REASON_work_timeout, false);
}

/* Ask the matchmaker of the route's control. */
static void visitor_want_work(struct visitor *v)
{
	struct worker *w = v->worker;
	const struct claim *c = v->route->claim;
	struct question q = { .visitor = worker_ref(w, v) };

	/* Work connections come to the other aditd. */
	if (passing_takes(v))
		return;
	visitor_set_state(v, VISITOR_ASKING);
	q.number = ++v->question;
	if (!timer_is_set(&v->timer))
		loop_set_timer(worker_loop(w), &v->timer,
			w->settings->user_conn_timeout_ms * CLOCK_MS,
			visitor_late);
	if (c->bound && c->control.worker != w->index) {
		visitor_tell_home(w, q);
		return;
	}
	/* Once it has waited, a receive may be in flight: it stays. */
	matchmaker_wish(
		w, c->control, c->owner.handle, q, v->tries > 0 || v->fixed);
}

void visitor_route(struct visitor *v, struct route *r)
{
	v->route = route_hold(r);
	visitor_want_work(v);
}

/* Nobody brings it a work connection any more. */
static void visitor_withdraw(struct visitor *v)
{
	if (v->state == VISITOR_WAITING)
		matchmaker_withdraw(
			v->worker, v->route->claim->control.worker, v->wish);
}

bool visitor_may_detour(const struct visitor *v)
{
	return v->route->group && v->detours < VISITOR_DETOURS &&
	       place_has_other(v->route->group, v->route);
}

/*
 * The route cannot serve it, and has seen nothing of the request: another one
 * of its group may. Else it fails for the reason.
 */
void visitor_detour(struct visitor *v, enum reason why, bool may_stay)
{
	struct route *r = NULL;

	if (passing_takes(v))
		return;
	if (v->route && visitor_may_detour(v))
		r = place_turn(v->route->group, v->route);
	if (!r) {
		visitor_fail(v, why, may_stay);
		return;
	}
	visitor_withdraw(v);
	stream_leave_reading(v->stream);
	log_debug("[%.64s] %s: its group is asked", route_name(v->route),
		reason_text(why));
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	count(&v->worker->core.counters, http_detours);
	route_drop(&v->route);
	v->route = route_hold(r);
	v->detours++;
	v->tries = 0;
	v->fixed = true;
	visitor_want_work(v);
}

/*
 * Something from a waiting visitor: its first bytes or its half-close stay in
 * the stream for the relay; a reset means that it has gone.
 */
static void visitor_stirred(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0)
		stream_unread(v->stream, c);
	if (result < 0) {
		count(&v->worker->core.counters, visitors_gone);
		visitor_close(v, REASON_visitor_gone);
	}
}

void visitor_watch(struct visitor *v)
{
	struct chunk *c;
	int n = stream_take(v->stream, &c);

	v->reader.received = visitor_stirred;
	if (n == -EAGAIN)
		stream_read(v->stream, &v->reader);
	else if (n > 0)
		stream_unread(v->stream, c);
}

static void visitor_ended(struct relay *r, enum reason why)
{
	struct visitor *v = container_of(r, struct visitor, relay);

	visitor_close(v, why);
}

struct relay_params visitor_relay_params(struct visitor *v)
{
	return (struct relay_params){
		.a = v->stream,
		.b = v->work,
		.a_half_close = true,
		.b_half_close = v->route->claim->caps & CAPABILITY_half_close,
		.limit = PUMP_UNLIMITED,
		.throttle_out = claim_throttles_out(v->route->claim),
		.throttle_back = claim_throttles_back(v->route->claim),
		.counters = &v->worker->core.counters,
		.mode = (enum engine_mode)v->worker->settings->relay,
		.ended = visitor_ended,
	};
}

static void visitor_relay(struct visitor *v, bool again)
{
	struct relay_params params = visitor_relay_params(v);

	visitor_set_state(v, VISITOR_RELAYING);
	if (v->http) {
		http_visitor_run(v);
		return;
	}
	params.again = again;
	relay_init(&v->relay, &params);
	relay_start(&v->relay);
	/* What is wrapped stays as it is. */
	if (!layer_is(v->work))
		parking_watch(&v->worker->parking, &v->relay);
}

/* A dead one: as frp, try the next, once more than the pool holds. */
void visitor_try_next(struct visitor *v)
{
	if (v->tries++ > v->route->claim->pool)
		visitor_detour(v, REASON_work_lost, true);
	else
		visitor_want_work(v);
}

/* What passes from here on is wrapped as its proxy wants it. */
static void visitor_wrap(struct visitor *v)
{
	const struct claim *c = v->route->claim;
	struct wrap w = { .key = c->encrypts ? &c->key : NULL,
		.compresses = c->compresses };

	v->work = wrap_open(v->worker->pools.layers, v->work, &w);
	if (v->work)
		visitor_relay(v, false);
	else
		visitor_fail(v, REASON_no_memory, true);
}

static void visitor_started(
	struct stream_writer *w, struct chunk *c, int result)
{
	struct visitor *v = container_of(w, struct visitor, writer);

	chunk_give(c);
	if (result == 0 && !v->route->closed) {
		visitor_wrap(v);
		return;
	}
	stream_close(&v->work, true);
	if (v->route->closed)
		visitor_detour(v, REASON_proxy_closed, true);
	else
		visitor_try_next(v);
}

/* It has its work connection. */
void visitor_start(
	struct visitor *v, struct stream *work, const struct sealing *sealing)
{
	struct chunk *c = start_make(v, sealing);

	if (v->state == VISITOR_WAITING)
		counters_wait(&v->worker->core.counters,
			worker_loop(v->worker)->now - v->waits_since);
	visitor_set_state(v, VISITOR_STARTING);
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	stream_leave_reading(v->stream);
	v->work = work;
	if (!c) {
		visitor_fail(v, REASON_no_memory, true);
		return;
	}
	v->writer.sent = visitor_started;
	stream_write(work, c, false, &v->writer);
}

void visitor_go_on(struct visitor *v, struct route *r, struct stream *work,
	const struct sealing *sealing)
{
	visitor_set_state(v, VISITOR_ASKING);
	if (r)
		v->route = route_hold(r);
	if (!r || r->closed) {
		visitor_detour(v, REASON_proxy_closed, true);
		stream_close(&work, false);
	} else if (work) {
		visitor_start(v, work, sealing);
	} else {
		visitor_try_next(v);
	}
}

void visitor_resume(struct visitor *v, struct route *r, struct stream *work)
{
	visitor_set_state(v, VISITOR_STARTING);
	v->route = route_hold(r);
	v->work = work;
	visitor_relay(v, true);
}

void visitor_serve(struct visitor *v, struct route *r, struct stream *work)
{
	visitor_set_state(v, VISITOR_STARTING);
	v->route = route_hold(r);
	v->work = work;
	visitor_relay(v, false);
}

void visitor_retry(struct visitor *v, bool idle)
{
	v->fixed = true;
	visitor_set_state(v, VISITOR_ASKING);
	if (!idle || v->route->closed)
		visitor_detour(v, REASON_proxy_closed, true);
	else
		visitor_want_work(v);
}

void visitor_await(struct visitor *v)
{
	visitor_set_state(v, VISITOR_HEAD);
	route_drop(&v->route);
	v->tries = v->detours = 0;
	v->fixed = true;
}

static bool unsay(struct visitor *v)
{
	struct chunk *c;

	if (v->http)
		return http_visitor_unsay(v);
	c = hello_reader_give_back(&v->hello);
	if (c)
		stream_unread(v->stream, c);
	return true;
}

bool visitor_part(struct visitor *v)
{
	visitor_withdraw(v);
	stream_leave_reading(v->stream);
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	visitor_set_state(v, VISITOR_PASSING);
	if (unsay(v))
		return true;
	visitor_close(v, REASON_no_memory);
	return false;
}

struct route *visitor_leave(struct visitor *v)
{
	struct route *r = v->route;

	list_remove(&v->link);
	pool_give(v->worker->pools.visitors, v);
	return r;
}

/* Freed from the loop, as callers up the stack may still look at it. */
static void visitor_bury(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);
	struct worker *w = v->worker;

	list_remove(&v->link);
	http_visit_free(&v->http);
	hello_reader_clear(&v->hello);
	route_drop(&v->route);
	visitor_load_give(&v->load);
	pool_give(w->pools.visitors, v);
	quota_give(&w->server->visitors);
	worker_visitor_gone(w);
}

/* Nobody brings it a work connection, nobody reads or writes for it. */
static void visitor_let_go(struct visitor *v, enum reason why)
{
	visitor_withdraw(v);
	if (v->state == VISITOR_RELAYING)
		relay_stop(&v->relay);
	if (v->http)
		http_visitor_stop(v, why);
	if (v->stream)
		stream_leave_reading(v->stream);
	log_debug("visitor of [%.64s] ended: %s",
		v->route ? route_name(v->route) : "", reason_text(why));
	v->worker->core.counters.ended[why]++;
}

void visitor_close(struct visitor *v, enum reason why)
{
	if (v->state == VISITOR_CLOSED)
		return;
	visitor_let_go(v, why);
	visitor_set_state(v, VISITOR_CLOSED);
	stream_close(&v->stream, !reason_is_clean(why));
	stream_close(&v->work, !reason_is_clean(why));
	loop_set_timer(worker_loop(v->worker), &v->timer, 0, visitor_bury);
}

void visitor_answer(struct visitor *v, struct chunk *c, enum reason why,
	void (*sent)(struct stream_writer *w, struct chunk *c, int result))
{
	visitor_let_go(v, why);
	visitor_set_state(v, VISITOR_ANSWERING);
	stream_close(&v->work, true);
	v->writer.sent = sent;
	stream_write(v->stream, c, false, &v->writer);
}

void visitor_fail(struct visitor *v, enum reason why, bool may_stay)
{
	if (v->http && !v->worker->core.stopping)
		http_visitor_fail(v, why, may_stay);
	else
		visitor_close(v, why);
}
