/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Time in nanoseconds, as int64_t, from CLOCK_MONOTONIC (clock_gettime(2)).
 * A loop reads it once a turn and hands the value on.
 */

#ifndef ADIT_BASE_CLOCK_H
#define ADIT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_MS INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)

static inline int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}

/* Whether it is time again, which it is not for `pause` ns from now on. */
static inline bool clock_again(int64_t *next, int64_t now, int64_t pause)
{
	if (now < *next)
		return false;
	*next = now + pause;
	return true;
}

#endif
