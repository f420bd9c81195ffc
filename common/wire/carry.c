/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/carry.h"

#include <errno.h>

void carry_encode(uint8_t out[static CARRY_HEADER], const struct carry_frame *f)
{
	out[0] = (uint8_t)f->type;
	out[1] = (uint8_t)(f->length >> 16);
	out[2] = (uint8_t)(f->length >> 8);
	out[3] = (uint8_t)f->length;
}

int carry_decode(struct carry_frame *f, const uint8_t in[static CARRY_HEADER])
{
	/* The shortest and longest that each type may be. */
	static const struct {
		uint32_t min, max;
	} lengths[CARRY_TYPES] = {
		[CARRY_START] = { 1, CARRY_START_MAX },
		[CARRY_DATA] = { 1, CARRY_DATA_MAX },
		[CARRY_END] = { 0, 0 },
		[CARRY_ABORT] = { 0, 0 },
	};

	f->length = (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
	if (in[0] < CARRY_START || in[0] >= CARRY_TYPES)
		return -EPROTO;
	f->type = (enum carry_type)in[0];
	if (f->length < lengths[f->type].min ||
		f->length > lengths[f->type].max)
		return -EPROTO;
	return 0;
}

enum carry_state carry_next(enum carry_state s, enum carry_type t)
{
	if (s == CARRY_READY && t == CARRY_START)
		return CARRY_OPEN;
	if (s == CARRY_OPEN && t == CARRY_DATA)
		return CARRY_OPEN;
	if (s == CARRY_OPEN && (t == CARRY_END || t == CARRY_ABORT))
		return CARRY_CLOSED;
	return CARRY_BAD;
}
