/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A listener accepts connections on one port. When descriptors or a limit run
 * short it pauses, so that the backlog holds the newcomers, and tries again
 * every LISTENER_PAUSE: no spin. It is held while nobody can be served yet, or
 * while its socket passes to another process: the backlog, which is the
 * socket's, loses nobody.
 */

#ifndef ADIT_SERVER_LISTENER_H
#define ADIT_SERVER_LISTENER_H

#include "common/base/address.h"
#include "common/base/timer.h"
#include "common/event/operation.h"

#define LISTENER_PAUSE (100 * CLOCK_MS)

/*
 * How many a worker may have, for each port that there may be: its own, the one
 * before it while that closes, and spare ones of an aditd that had more workers
 * (server/upgrade/spare.h). Spare ones leave room for the first two.
 */
#define LISTENERS_A_PORT 8
#define LISTENERS_KEPT 2

struct worker;

enum listener_state {
	/* The accept is in flight. Next: PAUSED, HELD, CLOSING. */
	LISTENER_ACCEPTING,
	/* The timer is set, an accept may end. Next: ACCEPTING, HELD,
	 * CLOSING. */
	LISTENER_PAUSED,
	/* No accept is started; one may end, and what it yields is served.
	 * Next: PAUSED, CLOSING. */
	LISTENER_HELD,
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
	struct listener *spare; /* another socket of the same port; or NULL */
	int fd;
	uint16_t port; /* the one bound */
	bool kept;     /* somebody else listens on the socket, too */
	uint8_t state; /* enum listener_state */
};

/*
 * Accept on the listening descriptor, which is taken over; `held`: once it is
 * released. 0, or -ENOBUFS at the limit: the descriptor is closed then.
 */
int listener_open(struct listener **l_r, struct worker *w, int fd, void *owner,
	void (*accepted)(struct listener *l, int fd), bool held) must_check;

/* Accept no more for LISTENER_PAUSE; those already accepted still come. */
void listener_pause(struct listener *l);

/*
 * Another socket of the port, which does all that `l` does. It is taken over;
 * it is closed where only the ports' own have room.
 */
void listener_add(struct listener *l, int fd);

/*
 * Accept no more until the release, and so many ns after it. NULL is accepted,
 * here and below.
 */
void listener_hold(struct listener *l);
void listener_release(struct listener *l, int64_t delay);

/* Whether no accept is in flight: nobody comes any more. */
bool listener_is_still(const struct listener *l);

/*
 * Its socket is somebody else's as well, or no more: closing it does not shut
 * it down.
 */
void listener_keep(struct listener *l, bool kept);

/* Write its descriptors; how many, `most` at most. */
size_t listener_fds(const struct listener *l, int *fds, size_t most);

/* The port is free at once; the object goes when its accept has ended. */
void listener_close(struct listener **l);

#endif
