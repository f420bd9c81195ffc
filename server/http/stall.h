/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether one side of a pump has stopped: its source sends nothing, or its sink
 * takes nothing; or whether nothing passes, whatever the reason. Looked at once
 * a period, so a stall is found between one and two periods after it began.
 */

#ifndef ADIT_SERVER_HTTP_STALL_H
#define ADIT_SERVER_HTTP_STALL_H

#include "common/base/timer.h"
#include "common/relay/pump.h"

enum stall_side {
	STALL_SOURCE,
	STALL_SINK,
	STALL_EITHER,
};

struct stall {
	struct timer timer;
	const struct pump *pump;
	void (*found)(struct stall *s);
	uint64_t bytes; /* that had passed when it was looked at */
	int64_t period;
	uint8_t side; /* enum stall_side */
	bool stuck;   /* nothing had moved then either */
};

/* Begin to look at a pump that was started; all zero or stopped before. */
void stall_watch(struct stall *s, const struct pump *p, enum stall_side side,
	int64_t period, void (*found)(struct stall *s));

/* Not watching: no effect. */
void stall_stop(struct stall *s);

#endif
