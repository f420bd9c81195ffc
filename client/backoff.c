/* SPDX-License-Identifier: Apache-2.0 */

#include "client/backoff.h"

#include "common/base/clock.h"
#include "common/base/compiler.h"

#define STEADY_TIME (60 * CLOCK_SECOND)
#define LONGEST (20 * CLOCK_SECOND)

static const int64_t first_waits[] = {
	100 * CLOCK_MS,
	200 * CLOCK_MS,
	500 * CLOCK_MS,
};

/* From `base` to one and a half times it. */
static int64_t jitter(int64_t base, uint32_t random)
{
	return base + base / 2 * (int64_t)(random % 1024) / 1024;
}

int64_t backoff_next(struct backoff *b, uint32_t random)
{
	int64_t wait;

	if (b->attempts < ARRAY_SIZE(first_waits)) {
		wait = first_waits[b->attempts];
	} else if (b->waited < STEADY_TIME) {
		wait = jitter(CLOCK_SECOND, random);
	} else {
		/* A quarter of the time so far: 15 s after the first minute. */
		wait = jitter(b->waited / 4, random);
		wait = wait > LONGEST ? LONGEST : wait;
	}
	b->attempts++;
	b->waited += wait;
	return wait;
}

void backoff_reset(struct backoff *b)
{
	*b = (struct backoff){ 0 };
}
