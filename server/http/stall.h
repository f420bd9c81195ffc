/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether one side of a pump has stopped: its source sends nothing, or its sink
 * takes nothing, and each has a limit of its own. Looked at as often as the
 * shorter one says, so a stall is found up to two such periods late.
 */

#ifndef ADIT_SERVER_HTTP_STALL_H
#define ADIT_SERVER_HTTP_STALL_H

#include "common/base/timer.h"
#include "common/relay/pump.h"

enum stall_side {
	STALL_SOURCE = 1,
	STALL_SINK = 2,
};

struct stall {
	struct timer timer;
	const struct pump *pump;
	/* Called once; it watches no more. */
	void (*found)(struct stall *s, enum stall_side side);
	uint64_t bytes;              /* that had passed at the last look */
	uint32_t source_ms, sink_ms; /* the limits; 0: none */
	uint32_t still_ms;           /* for so long nothing has passed, ... */
	uint8_t sides;               /* ... and these were waited for */
};

/*
 * Begin to look at a pump that was started, all zero or stopped before; one of
 * the limits may be 0. Of a pump that is over the source is waited for.
 */
void stall_watch(struct stall *s, const struct pump *p, int64_t source_ms,
	int64_t sink_ms, void (*found)(struct stall *s, enum stall_side side));

/* Not watching: no effect. */
void stall_stop(struct stall *s);

#endif
