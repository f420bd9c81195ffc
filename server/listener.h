/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A listener accepts connections on one port. When descriptors or a limit run
 * short it pauses, so that the backlog holds the newcomers, and tries again
 * every LISTENER_PAUSE: no spin.
 */

#ifndef ADIT_SERVER_LISTENER_H
#define ADIT_SERVER_LISTENER_H

#include "common/base/address.h"
#include "common/base/timer.h"
#include "common/event/operation.h"

#define LISTENER_PAUSE (100 * CLOCK_MS)

struct worker;

enum listener_state {
	/* The accept is in flight. Next: PAUSED, CLOSING. */
	LISTENER_ACCEPTING,
	/* The timer is set, an accept may end. Next: ACCEPTING, CLOSING. */
	LISTENER_PAUSED,
	/* The port is free again; the last accept is awaited. Next: gone. */
	LISTENER_CLOSING,
};

struct listener {
	struct worker *worker;
	/* A new connection; the descriptor is the callee's. */
	void (*accepted)(struct listener *l, int fd);
	void *owner; /* the route, where there is one */
	struct op accept;
	struct timer resume;
	int fd;
	uint16_t port; /* the one bound */
	uint8_t state; /* enum listener_state */
};

/*
 * Accept on the listening descriptor, which is taken over; 0, or -ENOBUFS at
 * the limit: it is closed then.
 */
int listener_open(struct listener **l_r, struct worker *w, int fd, void *owner,
	void (*accepted)(struct listener *l, int fd)) must_check;

/* Accept no more for LISTENER_PAUSE; those already accepted still come. */
void listener_pause(struct listener *l);

/* The port is free at once; the object goes when its accept has ended. */
void listener_close(struct listener **l);

#endif
