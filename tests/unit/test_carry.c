/* SPDX-License-Identifier: Apache-2.0 */

/* The framing of reused work connections: bytes, and every transition. */
// links: common/wire/carry.c

#include "common/wire/carry.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct {
	uint8_t bytes[CARRY_HEADER];
	int result;
	struct carry_frame frame;
} headers[] = {
	{ { 1, 0, 0, 1 }, 0, { CARRY_START, 1 } },
	{ { 1, 0, 0x28, 9 }, 0, { CARRY_START, CARRY_START_MAX } },
	{ { 1, 0, 0x28, 10 }, -EPROTO, { 0 } },
	{ { 1, 0, 0, 0 }, -EPROTO, { 0 } },
	{ { 2, 0, 0, 1 }, 0, { CARRY_DATA, 1 } },
	{ { 2, 1, 2, 3 }, 0, { CARRY_DATA, 0x010203 } },
	{ { 2, 255, 255, 255 }, 0, { CARRY_DATA, CARRY_DATA_MAX } },
	{ { 2, 0, 0, 0 }, -EPROTO, { 0 } },
	{ { 3, 0, 0, 0 }, 0, { CARRY_END, 0 } },
	{ { 3, 0, 0, 1 }, -EPROTO, { 0 } },
	{ { 4, 0, 0, 0 }, 0, { CARRY_ABORT, 0 } },
	{ { 4, 1, 0, 0 }, -EPROTO, { 0 } },
	{ { 0, 0, 0, 0 }, -EPROTO, { 0 } },
	{ { 0, 0, 0, 1 }, -EPROTO, { 0 } },
	{ { 5, 0, 0, 0 }, -EPROTO, { 0 } },
	{ { 5, 0, 0, 1 }, -EPROTO, { 0 } },
	{ { 'o', 0, 0, 1 }, -EPROTO, { 0 } },
	{ { 255, 255, 255, 255 }, -EPROTO, { 0 } },
};

Test(carry, headers)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct carry_frame f;
		uint8_t out[CARRY_HEADER];

		cr_assert_eq(carry_decode(&f, headers[i].bytes),
			headers[i].result, "row %zu", i);
		if (headers[i].result < 0)
			continue;
		cr_assert_eq(f.type, headers[i].frame.type, "row %zu", i);
		cr_assert_eq(f.length, headers[i].frame.length, "row %zu", i);
		carry_encode(out, &f);
		cr_assert(!memcmp(out, headers[i].bytes, sizeof(out)));
	}
}

Test(carry, transitions)
{
	static const enum carry_state next[CARRY_STATES][CARRY_TYPES] = {
		[CARRY_READY] = { CARRY_BAD, CARRY_OPEN, CARRY_BAD, CARRY_BAD,
			CARRY_BAD },
		[CARRY_OPEN] = { CARRY_BAD, CARRY_BAD, CARRY_OPEN, CARRY_CLOSED,
			CARRY_CLOSED },
		[CARRY_CLOSED] = { CARRY_BAD, CARRY_BAD, CARRY_BAD, CARRY_BAD,
			CARRY_BAD },
	};

	for (int s = 0; s < CARRY_STATES; s++)
		for (int t = CARRY_START; t < CARRY_TYPES; t++)
			cr_assert_eq(carry_next((enum carry_state)s,
					     (enum carry_type)t),
				next[s][t], "state %d, type %d", s, t);
}
