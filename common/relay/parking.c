/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/parking.h"

#include <errno.h>

#include "common/event/loop.h"

/* --- to rest --- */

static void stirred_a(struct op *op, int result);
static void stirred_b(struct op *op, int result);

/* The socket's stream of that side, if it can be taken apart now. */
static struct stream *can_rest(struct stream *s, bool carried)
{
	struct stream *link = s;

	if (carried && !carrier_can_rest(carrier_of(s)))
		return NULL;
	if (carried)
		link = carrier_of(s)->link;
	return raw_stream_can_rest(link) ? link : NULL;
}

static void rest(
	struct stream *s, bool carried, struct raw_rest *r, op_fn *stirred)
{
	struct stream *link = carried ? carrier_detach(carrier_of(s)) : s;

	raw_stream_rest(&link, r, stirred);
}

bool parking_take(struct parking *p, struct parked *record, struct relay *r,
	enum parked_carrier carrier)
{
	struct stream *a = r->a, *b = r->b;

	if (!can_rest(a, carrier == PARKED_A) ||
		!can_rest(b, carrier == PARKED_B))
		return false;
	relay_stop(r);
	record->home = p;
	record->carrier = (uint8_t)carrier;
	rest(a, carrier == PARKED_A, &record->a, stirred_a);
	rest(b, carrier == PARKED_B, &record->b, stirred_b);
	count(p->loop->counters, parks);
	return true;
}

static void look(struct timer *t)
{
	struct parking *p = container_of(t, struct parking, timer);
	struct list *last = p->awake.prev, *l = NULL;
	int looks = 0;

	while (l != last && looks < PARKING_LOOKS && !list_empty(&p->awake)) {
		struct relay *r;
		uint64_t moved;

		l = list_take(&p->awake);
		r = container_of(l, struct relay, watch);
		moved = r->out.bytes + r->back.bytes;
		list_append(&p->awake, l);
		looks++;
		if (moved == r->seen && relay_is_idle(r))
			p->idle(r);
		else
			r->seen = moved;
	}
	if (!list_empty(&p->awake))
		loop_set_timer(p->loop, t,
			looks < PARKING_LOOKS ? PARKING_TICK : PARKING_PAUSE,
			look);
}

void parking_init(struct parking *p)
{
	list_init(&p->awake);
}

void parking_watch(struct parking *p, struct relay *r)
{
	if (r->state != RELAY_RUNNING)
		return;
	list_append(&p->awake, &r->watch);
	if (!timer_is_set(&p->timer))
		loop_set_timer(p->loop, &p->timer, PARKING_TICK, look);
}

/* --- to life, or to an end --- */

/* Free a closing record once nothing is in flight. */
static void join(struct parked *p)
{
	if (op_in_flight(&p->a.recv) || op_in_flight(&p->b.recv))
		return;
	if (p->a.fd >= 0)
		loop_close(p->home->loop, p->a.fd);
	if (p->b.fd >= 0)
		loop_close(p->home->loop, p->b.fd);
	p->home->gone(p);
}

void parking_cut_one(struct parked *p)
{
	if (p->closing)
		return;
	p->closing = true;
	op_cancel(p->home->loop, &p->a.recv);
	op_cancel(p->home->loop, &p->b.recv);
}

/* The side's stream with what has come on it, if `op` is its; or NULL. */
static struct stream *revive(
	struct parking *home, struct raw_rest *side, const struct op *op, int n)
{
	bool stirred = op == &side->recv;
	struct stream *s = raw_stream_wake(home->streams, home->loop, side);

	if (s && stirred)
		raw_stream_stir(s, n);
	return s;
}

/* The visit that goes on over the stream; NULL: that was closed. */
static struct stream *carry(struct parking *home, struct stream *link)
{
	struct carrier *c = carrier_wake(home->carriers, link);

	return c ? &c->stream : NULL;
}

static void stirred(struct parked *p, struct op *op, int result)
{
	struct parking *home = p->home;
	struct stream *a, *b;

	if (p->closing) {
		chunk_give(op->chunk);
		join(p);
		return;
	}
	count(home->loop->counters, unparks);
	a = revive(home, &p->a, op, result);
	b = revive(home, &p->b, op, result);
	/* A carrier would have to be told whose it is, and has another end. */
	if (a && b && p->carrier == PARKED_A)
		a = carry(home, a);
	else if (a && b && p->carrier == PARKED_B)
		b = carry(home, b);
	if (a && b) {
		home->wake(p, a, b);
		return;
	}
	/* No memory: what could not wake is still in the record. */
	if ((op == &p->a.recv && p->a.fd >= 0) ||
		(op == &p->b.recv && p->b.fd >= 0))
		chunk_give(op->chunk);
	stream_close(&a, true);
	stream_close(&b, true);
	parking_cut_one(p);
	join(p);
}

static void stirred_a(struct op *op, int result)
{
	stirred(container_of(op, struct parked, a.recv), op, result);
}

static void stirred_b(struct op *op, int result)
{
	stirred(container_of(op, struct parked, b.recv), op, result);
}

static void cut_record(void *object)
{
	parking_cut_one(object);
}

void parking_cut(struct parking *p)
{
	if (p->loop)
		loop_cancel_timer(p->loop, &p->timer);
	pool_each(p->records, cut_record);
}
