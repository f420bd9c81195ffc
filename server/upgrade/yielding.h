/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a worker does while another aditd takes over (upgrade.h), step by step
 * as the main thread says:
 *
 *   VISITORS  accept no visitors, begin no further request; who waits for a
 *             work connection gets it, as a rule, as bindPort is open yet
 *   HOLDING   accept nobody, publish no proxy
 *   LISTED    all workers hold: tell which sockets listen, and which proxies
 *             there are
 *   NOT       all of that is undone
 *   LEFT      the sockets are the other's; visitors that no service knows of
 *             go to it (passing.h)
 *   ALONE     all workers have left: the clients go, too (seeing_off.h)
 *
 * Who has its work connection is served here, to its end.
 */

#ifndef ADIT_SERVER_UPGRADE_YIELDING_H
#define ADIT_SERVER_UPGRADE_YIELDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/timer.h"

struct server;
struct worker;

/* For visitors to get the work connections that are on their way. */
#define YIELDING_PATIENCE (500 * CLOCK_MS)

enum yielding_state {
	/* Next: VISITORS. */
	YIELDING_NOT,
	/* Next: HOLDING, NOT. */
	YIELDING_VISITORS,
	/* Next: LISTED, NOT. */
	YIELDING_HOLDING,
	/* Next: LEFT, NOT. */
	YIELDING_LISTED,
	/* Next: ALONE. */
	YIELDING_LEFT,
	/* For good. */
	YIELDING_ALONE,
};

/* Of a worker. */
struct yielding {
	enum yielding_state state;
	struct timer timer;
	int64_t until; /* while VISITORS: the patience */
	/* What the main thread reads when the step is done. */
	_Atomic uint32_t round; /* of the last step that was done */
	int *fds;               /* which listen; owned */
	size_t fd_count;
	uint8_t *proxies; /* the first's: of all (awaited.h); owned */
	size_t proxies_size;
};

/* Main thread: every worker is to come to the state; `round` names the step. */
void yielding_post(struct server *s, enum yielding_state state, uint32_t round);

/* Main thread: whether all have. */
bool yielding_is_done(const struct server *s, uint32_t round);

/* Whether a visitor that has not begun its request is to wait with it. */
bool yielding_holds(const struct worker *w);

/* Whether work connections come to the other aditd, for good. */
bool yielding_has_left(const struct worker *w);

/* The core ends. */
void yielding_stop(struct worker *w);

#endif
