/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What comes in on a carrier: frames (common/wire/carry.h) are taken out of
 * the bytes, in whatever pieces they come, and the visit's own are left.
 */

#ifndef ADIT_RELAY_INLET_H
#define ADIT_RELAY_INLET_H

#include <stdbool.h>

#include "common/event/chunk.h"
#include "common/wire/carry.h"

struct inlet {
	uint32_t left; /* of the frame that is coming */
	uint8_t head[CARRY_HEADER];
	uint8_t have;  /* bytes of the header that have come */
	uint8_t state; /* enum carry_state */
	bool visit;    /* since START */
	bool aborted;  /* it has ended by ABORT */
};

/* No visit; `starts`: we begin the next one, and nothing comes before. */
static inline void inlet_reset(struct inlet *i, bool starts)
{
	i->visit = i->aborted = false;
	i->state = starts ? CARRY_CLOSED : CARRY_READY;
}

/* We have begun a visit, or one goes on. */
static inline void inlet_begin(struct inlet *i)
{
	i->visit = true;
	i->state = CARRY_OPEN;
}

/* The header is complete; 0, or -EPROTO. */
int inlet_header(struct inlet *i) must_check;

/*
 * Leave the visit's bytes in the chunk, and nothing else, up to the visit's
 * end: what lies at *rest_r and beyond came after it. 0, or -EPROTO.
 */
int inlet_unframe(
	struct inlet *i, struct chunk *k, uint32_t *rest_r) must_check;

/* Whether the visit has ended in this direction. */
static inline bool inlet_ended(const struct inlet *i)
{
	return i->visit && i->state == CARRY_CLOSED;
}

#endif
