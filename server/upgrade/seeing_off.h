/* SPDX-License-Identifier: Apache-2.0 */

/*
 * When another aditd has taken over, a worker's clients go to it: those that
 * know how at once, an frpc when what it carries is over, and who is in the
 * midst of a login when it has its answer. Then the process may end
 * (server.alone). On the worker's thread.
 */

#ifndef ADIT_SERVER_UPGRADE_SEEING_OFF_H
#define ADIT_SERVER_UPGRADE_SEEING_OFF_H

#include "common/base/timer.h"

struct worker;

/* An frpc's control stays so long at most, and at least: it is to hear of work
 * connections that have just been started first. */
#define SEEING_OFF_STAYS (1 * CLOCK_SECOND)
#define SEEING_OFF_SETTLES (50 * CLOCK_MS)

struct seeing_off {
	struct timer timer;
	int64_t until; /* an frpc's control stays */
};

/* Nobody comes any more. */
void seeing_off_begin(struct worker *w);

/* The core ends. */
void seeing_off_stop(struct worker *w);

#endif
