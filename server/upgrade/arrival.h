/* SPDX-License-Identifier: Apache-2.0 */

/*
 * After an upgrade the clients come back, within a moment. Until as many
 * proxies are there as the old aditd had, vhostHTTPPort and vhostHTTPSPort are
 * held: their visitors wait in the kernel, and do not find that nobody serves
 * the name. A tcp proxy's visitors wait by themselves, as nobody accepts on its
 * port before it is there.
 */

#ifndef ADIT_SERVER_UPGRADE_ARRIVAL_H
#define ADIT_SERVER_UPGRADE_ARRIVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/timer.h"

struct server;
struct worker;

/* For the clients of all proxies, together. */
#define ARRIVAL_PATIENCE (3 * CLOCK_SECOND)

/* After that, for each tcp proxy that its port was kept for. */
#define ARRIVAL_PORTS (30 * CLOCK_SECOND)

struct arrival {
	uint32_t awaited;   /* worker 0's */
	struct timer timer; /* the same */
	_Atomic bool waits;
};

/* Main thread, before the workers run; 0: nobody is awaited. */
void arrival_init(struct server *s, uint32_t proxies);

static inline bool arrival_is_over(const struct arrival *a)
{
	return !atomic_load(&a->waits);
}

/* Worker 0: it begins; one more proxy is there; it ends. */
void arrival_start(struct worker *w);
void arrival_note(struct worker *w);
void arrival_stop(struct worker *w);

#endif
