/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A throttle is a rate that many share, on any threads: a token bucket, kept as
 * the time at which all that was granted is paid for. Who has bytes to move
 * takes a turn: a piece of them is granted for a time, now or later. Turns come
 * in the order in which they were asked for, a piece each, so nobody starves,
 * and nobody is woken for another's turn. Time is given in (clock.h).
 */

#ifndef ADIT_RELAY_THROTTLE_H
#define ADIT_RELAY_THROTTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

/* After a silence what is due for so long passes at once, at least a chunk. */
#define THROTTLE_BURST (200 * CLOCK_MS)
#define THROTTLE_BURST_LEAST 16384

/*
 * A piece is what is due in a 64th of a second, 1 KiB at least; that least
 * when so many wait that a turn is further away than THROTTLE_LINE.
 */
#define THROTTLE_PIECES 64
#define THROTTLE_PIECE_LEAST 1024
#define THROTTLE_LINE (CLOCK_SECOND / 2)

/* Who waits looks so often whether the rate is another one by now. */
#define THROTTLE_LOOK (250 * CLOCK_MS)

/* Zeroed: no limit. */
struct throttle {
	_Atomic uint32_t holders; /* of one from throttle_new */
	_Atomic int64_t rate;     /* bytes a second; 0: no limit */
	_Atomic int64_t paid;     /* when all granted bytes are paid for */
};

/* One of its own, held once; NULL without memory. */
struct throttle *throttle_new(int64_t rate) must_check;

/* Any thread, those from throttle_new only; NULL is accepted. */
struct throttle *throttle_hold(struct throttle *t);
void throttle_drop(struct throttle **t);

/* Any thread. Turns that wait are asked for anew, within THROTTLE_LOOK. */
void throttle_set_rate(struct throttle *t, int64_t rate);

/* Those that one direction is under, in any order; NULL: none. */
#define THROTTLES_MAX 2
struct throttles {
	struct throttle *of[THROTTLES_MAX];
};

/* Any thread: bytes that have gone already are paid for by those to come. */
void throttles_charge(const struct throttles *under, uint32_t n, int64_t now);

/* Of one who moves bytes, on its thread; all zero: under no throttle. */
struct turn {
	struct throttles under;       /* not NULL from the first on */
	int64_t rates[THROTTLES_MAX]; /* when it was asked for */
	int64_t at;                   /* when the bytes may go */
	uint32_t granted;             /* so many; 0: nothing was asked for */
};

/* A new turn under these, which outlive it. */
void turn_init(struct turn *t, const struct throttles *under);

/* Whether it is under any, which may have no limit now. */
static inline bool turn_is_throttled(const struct turn *t)
{
	return t->under.of[0];
}

/* The lowest rate that it is under, bytes a second; INT64_MAX: none. */
int64_t turn_rate(const struct turn *t);

/*
 * How many of `want` bytes, which are not 0, may go now. 0: ask again, as soon
 * as turn_wait says.
 */
uint32_t turn_take(struct turn *t, uint32_t want, int64_t now) must_check;

/* After turn_take said 0: in how many nanoseconds to ask again. */
int64_t turn_wait(const struct turn *t, int64_t now);

/* So many of the bytes that were taken last do not go after all. */
void turn_give(struct turn *t, uint32_t n);

/* Nothing is to go any more: what is granted goes back. */
void turn_leave(struct turn *t);

#endif
