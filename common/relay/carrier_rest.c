/* SPDX-License-Identifier: Apache-2.0 */

/* A carrier that rests: taken apart and put together again, or renewed. */

#include <assert.h>

#include "common/base/socket.h"
#include "common/event/loop.h"
#include "common/relay/carrier.h"

bool carrier_can_rest(const struct carrier *c)
{
	return c->in.visit && c->in.state == CARRY_OPEN && c->in.left == 0 &&
	       c->in.have == 0 && c->out == CARRY_OPEN && c->out_left == 0 &&
	       !c->last_word && !c->broken && !c->stream.unread.head &&
	       !stream_is_writing(c->link);
}

struct stream *carrier_detach(struct carrier *c)
{
	struct stream *link = c->link;

	assert(!stream_is_writing(link));
	stream_leave_reading(link);
	link->gulp = STREAM_CHUNK;
	pool_give(c->all->pool, c);
	return link;
}

struct carrier *carrier_wake(struct carriers *all, struct stream *link)
{
	struct carrier *c = carrier_open(all, link, NULL);

	if (!c)
		return NULL;
	inlet_begin(&c->in);
	c->out = CARRY_OPEN;
	/* It is not known any more how much that was. */
	c->sent = CARRIER_DRAIN_MAX + 1;
	return c;
}

bool carrier_may_renew(const struct carrier *c)
{
	if (!c->all->starts)
		return true;
	if (c->heard != 0 && c->all->loop->now - c->heard > CARRIER_LATE)
		return false;
	return c->sent <= CARRIER_LATE_MAX ||
	       (c->sent <= CARRIER_DRAIN_MAX &&
		       socket_on_the_way(stream_descriptor(c->link)) <=
			       CARRIER_LATE_MAX);
}
