/* SPDX-License-Identifier: Apache-2.0 */

/* xorshift64*: the same numbers for the same seed everywhere. */

#ifndef ADIT_UNIT_CHANCE_H
#define ADIT_UNIT_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Not 0; set it at the beginning. */
static uint64_t chance;

/* One of so many numbers from 0 on. */
static inline uint32_t pick(uint32_t below)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (uint32_t)((chance * UINT64_C(2685821657736338717)) >> 33) %
	       below;
}

static inline bool rarely(uint32_t one_in)
{
	return pick(one_in) == 0;
}

#endif
