/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A dial makes one TCP connection: the name is resolved (on the resolver's
 * thread), then its addresses are tried in turn until one accepts, all within
 * a time limit.
 */

#ifndef ADIT_CLIENT_DIAL_H
#define ADIT_CLIENT_DIAL_H

#include "common/base/address.h"
#include "common/base/timer.h"
#include "common/event/operation.h"
#include "common/event/resolver.h"

struct client;
struct dial;

/*
 * Embedded in who dials. Called once: a connected descriptor, which is the
 * owner's, or -1 and what went wrong. The dial is over then.
 */
struct dial_owner {
	void (*done)(struct dial_owner *o, int fd, const char *error);
};

enum dial_state {
	/* The resolver was asked. Next: CONNECTING, gone. */
	DIAL_RESOLVING,
	/* One address is being tried. Next: ENDED, gone. */
	DIAL_CONNECTING,
	/* The outcome is known; the last operation is awaited. Next: gone. */
	DIAL_ENDED,
};

struct dial {
	struct client *client;
	struct dial_owner *owner;
	struct op poll;
	struct timer timer;
	const struct address *local;
	int fd; /* -1: none */
	int error;
	int next, count;
	struct address addresses[RESOLVER_ADDRESSES];
	uint8_t state; /* enum dial_state */
};

/*
 * Dial host and port, or `address` if its size is not 0, from `local` unless
 * NULL (it outlives the dial). Returns the dial; or NULL when it is over
 * already: the owner was called.
 */
struct dial *dial_start(struct client *c, struct dial_owner *owner,
	const char *host, uint16_t port, const struct address *address,
	const struct address *local, int64_t timeout);

/* Give it up: the owner is not called. NULL is accepted. */
void dial_cancel(struct dial **d);

#endif
