/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/stall.h"

#include "common/event/loop.h"

static bool waits(const struct stall *s)
{
	const struct pump *p = s->pump;

	if (s->side == STALL_EITHER)
		return true;
	if (s->side == STALL_SINK)
		return stream_is_writing(p->sink);
	return p->state == PUMP_RUNNING && p->source->reader == &p->reader;
}

static void look(struct timer *t)
{
	struct stall *s = container_of(t, struct stall, timer);
	bool still = s->pump->bytes == s->bytes && waits(s);

	if (still && s->stuck) {
		s->found(s);
		return;
	}
	s->stuck = still;
	s->bytes = s->pump->bytes;
	loop_set_timer(s->pump->source->loop, t, s->period, look);
}

void stall_watch(struct stall *s, const struct pump *p, enum stall_side side,
	int64_t period, void (*found)(struct stall *s))
{
	s->pump = p;
	s->side = (uint8_t)side;
	s->period = period;
	s->found = found;
	s->bytes = p->bytes;
	s->stuck = waits(s);
	loop_set_timer(p->source->loop, &s->timer, period, look);
}

void stall_stop(struct stall *s)
{
	if (s->pump)
		loop_cancel_timer(s->pump->source->loop, &s->timer);
	s->pump = NULL;
}
