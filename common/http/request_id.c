/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/request_id.h"

/*
 * A one-to-one map of 64 bits that spreads neighbours (the finalizer of
 * SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
 * Generators", 2014): a visitor does not see how many requests there are.
 */
static uint64_t spread(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t request_id_next(uint64_t *series)
{
	uint64_t id;

	do
		id = spread(++*series);
	while (id == 0);
	return id;
}

void request_id_text(uint64_t id, char out[static REQUEST_ID_SIZE])
{
	for (int i = REQUEST_ID_SIZE - 2; i >= 0; i--, id >>= 4)
		out[i] = "0123456789abcdef"[id & 15];
	out[REQUEST_ID_SIZE - 1] = '\0';
}
