/* SPDX-License-Identifier: Apache-2.0 */

#include "server/visitor/parked.h"

#include "server/registry/directory.h"
#include "server/visitor/visitor.h"
#include "server/control/work.h"
#include "server/worker.h"

static struct worker *worker_of(const struct parked_visitor *p)
{
	return container_of(p->parked.home, struct worker, parking);
}

static void visitor_idle(struct relay *r)
{
	struct visitor *v = container_of(r, struct visitor, relay);
	struct worker *w = v->worker;
	struct parked_visitor *p = pool_take(w->pools.parked);

	if (!p)
		return;
	if (!parking_take(&w->parking, &p->parked, r,
		    carrier_is(v->work) ? PARKED_B : PARKED_NONE)) {
		pool_give(w->pools.parked, p);
		return;
	}
	p->load = v->load;
	p->route = visitor_leave(v);
}

static void forget(struct parked_visitor *p)
{
	struct worker *w = worker_of(p);

	route_drop(&p->route);
	visitor_load_give(&p->load);
	pool_give(w->pools.parked, p);
}

/* It has gone for good. */
static void visitor_gone(struct parked *parked)
{
	struct parked_visitor *p =
		container_of(parked, struct parked_visitor, parked);
	struct worker *w = worker_of(p);

	w->core.counters
		.ended[p->route->revoked ? REASON_revoked : REASON_shutdown]++;
	forget(p);
	quota_give(&w->server->visitors);
	worker_visitor_gone(w);
}

static void visitor_wakes(
	struct parked *parked, struct stream *a, struct stream *b)
{
	struct parked_visitor *p =
		container_of(parked, struct parked_visitor, parked);
	struct worker *w = worker_of(p);
	struct visitor *v;

	if (parked->carrier == PARKED_B)
		work_claim_carrier(w, b, p->route->claim->control);
	v = visitor_open(w, a);
	if (!v) {
		stream_close(&b, true);
		visitor_gone(parked);
		return;
	}
	v->load = p->load;
	p->load = NULL;
	visitor_resume(v, p->route, b);
	forget(p);
}

static void cut_if_revoked(void *object)
{
	struct parked_visitor *p = object;

	if (p->route && p->route->revoked)
		parking_cut_one(&p->parked);
}

void parked_cut_revoked(struct worker *w)
{
	pool_each(w->pools.parked, cut_if_revoked);
}

void parked_init(struct worker *w)
{
	w->parking = (struct parking){ .loop = worker_loop(w),
		.records = w->pools.parked,
		.streams = w->pools.streams,
		.carriers = &w->carriers,
		.idle = visitor_idle,
		.wake = visitor_wakes,
		.gone = visitor_gone };
	parking_init(&w->parking);
}
