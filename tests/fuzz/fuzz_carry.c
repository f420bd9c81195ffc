/* SPDX-License-Identifier: Apache-2.0 */

/* A direction of a reused work connection: any bytes as frames. */
#include "common/wire/carry.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum carry_state s = CARRY_READY;

	while (size >= CARRY_HEADER) {
		uint8_t again[CARRY_HEADER];
		struct carry_frame f;

		if (carry_decode(&f, data) < 0)
			return 0;
		must(f.length <= CARRY_DATA_MAX);
		carry_encode(again, &f);
		for (int i = 0; i < CARRY_HEADER; i++)
			must(again[i] == data[i]);
		s = carry_next(s, f.type);
		if (s == CARRY_BAD)
			return 0;
		if (s == CARRY_CLOSED)
			s = CARRY_READY;
		data += CARRY_HEADER;
		size -= CARRY_HEADER;
		if (f.length > size)
			return 0;
		data += f.length;
		size -= f.length;
	}
	return 0;
}
