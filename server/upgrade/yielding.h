/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a worker does while another aditd takes over (upgrade.h), step by step
 * as the main thread says:
 *
 *   VISITORS   hold the ports of visitors, begin no further request, and wait
 *              until who is here has its work connection
 *   CLIENTS    hold bindPort; tell which sockets listen
 *   RESUME     all of that is undone
 *   LEAVE      the sockets are the other's; clients are sent to it
 *
 * Who was accepted goes on to be served here, to its end. A visitor on
 * vhostHTTPPort goes to the other one between two requests, with what it has
 * said: nobody has to close a connection that may just be used.
 */

#ifndef ADIT_SERVER_UPGRADE_YIELDING_H
#define ADIT_SERVER_UPGRADE_YIELDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/timer.h"

struct server;
struct visitor;
struct worker;

/* For visitors that are here to get what they need for their requests. */
#define YIELDING_PATIENCE (1 * CLOCK_SECOND)

/* An frpc's control stays so long at most, and at least: it is to hear of work
 * connections that have just been started first. */
#define YIELDING_STAYS (1 * CLOCK_SECOND)
#define YIELDING_SETTLES (50 * CLOCK_MS)

enum yielding_state {
	/* Next: VISITORS. */
	YIELDING_NOT,
	/* Next: CLIENTS, NOT. */
	YIELDING_VISITORS,
	/* Next: LEFT, NOT. */
	YIELDING_CLIENTS,
	/* For good. */
	YIELDING_LEFT,
};

/* Of a worker. */
struct yielding {
	enum yielding_state state;
	bool done; /* with the step */
	struct timer timer;
	int64_t until;
	/* What the main thread reads when the step is done. */
	_Atomic uint32_t round; /* of the last step that was done */
	int *fds;               /* which listen; owned */
	size_t fd_count;
	uint32_t proxies; /* of all workers, on the first */
};

/* Main thread: every worker is to come to the state; `round` names the step. */
void yielding_post(struct server *s, enum yielding_state state, uint32_t round);

/* Main thread: whether all have. */
bool yielding_is_done(const struct server *s, uint32_t round);

/* Whether a visitor that has not begun its request is to wait with it. */
bool yielding_holds(const struct worker *w);

/*
 * The visitor, between two requests on a worker that has LEFT, goes to the
 * other aditd, now or soon; or is closed, if it cannot.
 */
void yielding_pass(struct visitor *v);

/* The core ends. */
void yielding_stop(struct worker *w);

#endif
