/* SPDX-License-Identifier: Apache-2.0 */

/*
 * After an upgrade the clients come back, within a moment. Until all proxies
 * are there that the old aditd had, vhostHTTPPort and vhostHTTPSPort are held:
 * their visitors wait in the kernel, and do not find that nobody serves the
 * name. A tcp proxy's visitors wait by themselves, as nobody accepts on its
 * port before it is there. Where some client takes long the others' visitors
 * are let in, and only who asks for what nobody serves waits for those that are
 * missing.
 */

#ifndef ADIT_SERVER_UPGRADE_ARRIVAL_H
#define ADIT_SERVER_UPGRADE_ARRIVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/timer.h"
#include "server/upgrade/awaited.h"

struct server;
struct worker;

/* For the clients of all proxies, together. */
#define ARRIVAL_PATIENCE (3 * CLOCK_SECOND)

/* After that, for each proxy whose name or port is kept for it. */
#define ARRIVAL_LATE (30 * CLOCK_SECOND)

/* Those who wait for a missing one look again so long after one has come, or
 * when its client knows. */
#define ARRIVAL_LOOKS (20 * CLOCK_MS)

enum arrival_state {
	/* Nobody is awaited. */
	ARRIVAL_OVER,
	/* All visitors wait. Next: LATE, OVER. */
	ARRIVAL_ALL,
	/* Those wait whom nobody serves. Next: OVER. */
	ARRIVAL_LATE_ONES,
};

struct arrival {
	struct awaited awaited; /* worker 0's, once it runs */
	struct timer timer;     /* the same: the end of the state */
	struct timer look;      /* the same */
	int64_t settles;        /* the same: of those that are there */
	_Atomic int state;      /* enum arrival_state */
};

/* Main thread, before the workers run, when `awaited` is filled. */
void arrival_init(struct server *s);

/* Any thread: whether all visitors wait. */
static inline bool arrival_holds(const struct arrival *a)
{
	return atomic_load(&a->state) == ARRIVAL_ALL;
}

/* Any thread: whether what nobody serves may yet come. */
static inline bool arrival_is_over(const struct arrival *a)
{
	return atomic_load(&a->state) == ARRIVAL_OVER;
}

/* Worker 0: it begins; a proxy is there, and its client knows in `settles` ns;
 * it ends. */
void arrival_start(struct worker *w);
void arrival_note(struct worker *w, const char *name, int64_t settles);
void arrival_stop(struct worker *w);

#endif
