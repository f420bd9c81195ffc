/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether the cores turn: a letter to each of them, in rounds, and the last
 * one that comes back ends the round. A core that hangs in a callback, or that
 * the kernel never wakes, leaves its round open for ever.
 */

#ifndef ADIT_HOST_PULSE_H
#define ADIT_HOST_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/event/core.h"

struct pulse {
	struct core *const *cores; /* borrowed */
	int n;
	int fd;              /* eventfd: a round has ended, or pulse_wake */
	uint64_t round;      /* the main thread's: the one asked for last */
	_Atomic int missing; /* answers to it that have not come */
};

/* 0 or -errno; letters may come back until the cores have been destroyed. */
int pulse_open(struct pulse *p, struct core *const *cores, int n) must_check;

/*
 * Main thread: begin a round, unless one is open. Returns the number of the
 * open round, 1 or more.
 */
uint64_t pulse_ask(struct pulse *p);

/* Main thread: whether all cores have answered in this round. */
bool pulse_is_back(const struct pulse *p, uint64_t round);

/* Any thread: make the descriptor readable. */
void pulse_wake(const struct pulse *p);

/* Main thread: it is no more. */
void pulse_rest(const struct pulse *p);

/* A zeroed one, too. */
void pulse_close(struct pulse *p);

#endif
