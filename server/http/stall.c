/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/stall.h"

#include "common/event/loop.h"

/* Who is waited for; of a pump that is over nothing more comes. */
static uint8_t waits_for(const struct pump *p)
{
	bool source =
		p->state == PUMP_IDLE ||
		(p->state == PUMP_RUNNING && p->source->reader == &p->reader);
	bool sink = stream_is_writing(p->sink);

	return (source ? STALL_SOURCE : 0) | (sink ? STALL_SINK : 0);
}

/* As long as the shorter limit. */
static uint32_t period(const struct stall *s)
{
	if (s->source_ms == 0 || s->sink_ms == 0)
		return s->source_ms + s->sink_ms;
	return s->source_ms < s->sink_ms ? s->source_ms : s->sink_ms;
}

static bool is_over(const struct stall *s, enum stall_side side, uint32_t limit)
{
	return s->sides & side && limit > 0 && s->still_ms >= limit;
}

static void look(struct timer *t)
{
	struct stall *s = container_of(t, struct stall, timer);
	uint8_t now = waits_for(s->pump);
	bool still = s->pump->bytes == s->bytes && s->sides & now;

	s->sides = still ? s->sides & now : now;
	s->still_ms = still ? s->still_ms + period(s) : 0;
	s->bytes = s->pump->bytes;
	if (is_over(s, STALL_SOURCE, s->source_ms))
		s->found(s, STALL_SOURCE);
	else if (is_over(s, STALL_SINK, s->sink_ms))
		s->found(s, STALL_SINK);
	else
		loop_set_timer(
			s->pump->source->loop, t, period(s) * CLOCK_MS, look);
}

void stall_watch(struct stall *s, const struct pump *p, int64_t source_ms,
	int64_t sink_ms, void (*found)(struct stall *s, enum stall_side side))
{
	s->pump = p;
	s->source_ms = (uint32_t)source_ms;
	s->sink_ms = (uint32_t)sink_ms;
	s->found = found;
	s->bytes = p->bytes;
	s->sides = waits_for(p);
	s->still_ms = 0;
	loop_set_timer(p->source->loop, &s->timer, period(s) * CLOCK_MS, look);
}

void stall_stop(struct stall *s)
{
	if (s->pump)
		loop_cancel_timer(s->pump->source->loop, &s->timer);
	s->pump = NULL;
}
