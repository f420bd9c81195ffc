/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/pattern.h"

uint8_t pattern[PATTERN_SIZE];

void pattern_make(void)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t i = 0; i < PATTERN_SIZE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		pattern[i] = (uint8_t)x;
	}
}
