/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Timers of one thread: an intrusive pairing heap, so that a timer costs no
 * memory beyond itself, setting one is O(1) and cancelling O(log n) amortised
 * (Fredman, Sedgewick, Sleator, Tarjan: The pairing heap, 1986).
 */

#ifndef ADIT_BASE_TIMER_H
#define ADIT_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer;

/* Called once when the time has come; the timer is no longer set then. */
typedef void timer_fn(struct timer *t);

/* Embedded in its owner; all zero is a timer that is not set. */
struct timer {
	struct timer *child, *sibling;
	struct timer *prev; /* parent, or left sibling */
	timer_fn *fire;     /* non-NULL exactly while set */
	int64_t when;
};

/* All zero is an empty set. */
struct timers {
	struct timer *root;
};

/* Call `fire` at `when` (clock.h); moves the timer if it is set already. */
void timer_set(
	struct timers *ts, struct timer *t, int64_t when, timer_fn *fire);

/* No effect on a timer that is not set. */
void timer_cancel(struct timers *ts, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
	return t->fire;
}

/* When the first timer is due; INT64_MAX when none is set. */
int64_t timers_next(const struct timers *ts);

/* Fire what is due at `now`. A callback sets timers later than `now` only. */
void timers_run(struct timers *ts, int64_t now);

#endif
