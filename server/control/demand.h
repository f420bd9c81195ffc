/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many idle work connections a control should have, so that a visitor
 * finds one: as many as visitors come while one is being made, and as many
 * again. Both are measured, the time from a ReqWorkConn to its answer and the
 * visitors of a second. No I/O; times are clock.h's.
 */

#ifndef ADIT_SERVER_CONTROL_DEMAND_H
#define ADIT_SERVER_CONTROL_DEMAND_H

#include <stdint.h>

/* All zero: nothing is known. */
struct demand {
	int64_t since;     /* when the running second began */
	uint32_t arrivals; /* in it */
	uint32_t rate;     /* of the one before, visitors a second */
	uint32_t ahead;    /* answers that come before the one measured */
	int64_t asked;     /* when that was asked for; 0: none is measured */
	int64_t making;    /* ns from a request to its answer, smoothed */
};

/* A visitor has come. */
void demand_arrival(struct demand *d, int64_t now);

/* A work connection is asked for, `outstanding` are on their way already. */
void demand_asked(struct demand *d, int64_t now, uint32_t outstanding);

/* One has come. */
void demand_answered(struct demand *d, int64_t now);

/* How many should be idle: at least 1. */
uint32_t demand_idle(const struct demand *d, int64_t now);

#endif
