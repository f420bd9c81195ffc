/* SPDX-License-Identifier: Apache-2.0 */

#include "client/parked.h"

#include "client/client.h"
#include "client/crew.h"
#include "client/work.h"
#include "common/wire/capability.h"

static struct client *client_of(const struct parked_work *p)
{
	return container_of(p->parked.home, struct client, parking);
}

static void work_idle(struct relay *r)
{
	struct work *k = container_of(r, struct work, relay);
	struct client *c = k->client;
	struct parked_work *p = pool_take(c->pools.parked);
	bool carried = k->caps & CAPABILITY_reuse;

	if (!p)
		return;
	if (carried)
		p->epoch = work_carrier_of(k->stream)->epoch;
	p->caps = (uint8_t)k->caps;
	p->proxy = proxy_hold(k->proxy);
	if (!parking_take(&c->parking, &p->parked, r,
		    carried ? PARKED_A : PARKED_NONE)) {
		proxy_drop(&p->proxy);
		pool_give(c->pools.parked, p);
		return;
	}
	work_leave(k);
	crew_count_busy(c->crew, 1);
}

static void forget(struct parked_work *p)
{
	struct client *c = client_of(p);

	crew_count_busy(c->crew, -1);
	proxy_drop(&p->proxy);
	pool_give(c->pools.parked, p);
	client_work_gone(c);
}

/* It has gone for good. */
static void work_gone(struct parked *parked)
{
	struct parked_work *p =
		container_of(parked, struct parked_work, parked);
	struct client *c = client_of(p);

	c->core.counters.ended[REASON_shutdown]++;
	forget(p);
	quota_give(&c->crew->works);
}

static void work_wakes(
	struct parked *parked, struct stream *a, struct stream *b)
{
	struct parked_work *p =
		container_of(parked, struct parked_work, parked);
	struct client *c = client_of(p);

	if (p->caps & CAPABILITY_reuse)
		work_claim_carrier(c, a, p->epoch, p->caps);
	work_resume(c, p->caps, p->proxy, a, b);
	forget(p);
}

void parked_init(struct client *c)
{
	c->parking = (struct parking){ .loop = client_loop(c),
		.records = c->pools.parked,
		.streams = c->pools.streams,
		.carriers = &c->carriers,
		.idle = work_idle,
		.wake = work_wakes,
		.gone = work_gone };
	parking_init(&c->parking);
}
