/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A dial makes one TCP connection: the name is resolved (on a thread of the
 * resolver), then its addresses are tried until one accepts, the next one as
 * soon as one has failed or been silent for a moment, then a gateway on the way
 * is talked to, all within a time limit.
 */

#ifndef ADIT_CLIENT_DIAL_H
#define ADIT_CLIENT_DIAL_H

#include "common/base/address.h"
#include "common/base/timer.h"
#include "common/event/operation.h"
#include "common/event/resolver.h"

/* What a dial has in flight at most. */
#define DIAL_OPS RESOLVER_ADDRESSES

struct client;
struct dial;
struct gateway;
struct gateway_talk;

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
	/* Addresses are being tried. Next: TALKING, ENDED, gone. */
	DIAL_CONNECTING,
	/* The gateway is asked for the way. Next: ENDED, gone. */
	DIAL_TALKING,
	/* The outcome is known; the last operations are awaited. Next: gone. */
	DIAL_ENDED,
};

/* What is pointed to outlives the dial. */
struct dial_params {
	const char *host;
	uint16_t port;
	const struct address *address; /* instead; NULL or size 0: none */
	const struct address *local;   /* to dial from; NULL: any */
	const struct gateway *gateway; /* by way of it; NULL: directly */
	int64_t timeout;               /* ns */
	bool to_server;                /* its name waits for no other one */
};

/* One address that is being tried. */
struct dial_try {
	struct dial *dial;
	struct op poll; /* while it is */
	int fd;
};

struct dial {
	struct client *client;
	struct dial_owner *owner;
	struct dial_params params;
	struct op talking;
	struct gateway_talk *talk; /* owned, while TALKING */
	struct timer timer;
	struct timer patience; /* while CONNECTING: with the latest address */
	int fd;                /* the connected one; -1: none */
	int error;
	int next, count;
	struct address addresses[RESOLVER_ADDRESSES];
	struct dial_try tries[RESOLVER_ADDRESSES]; /* of the addresses */
	uint8_t state;                             /* enum dial_state */
};

/*
 * Dial. Returns the dial; or NULL when it is over already: the owner was
 * called.
 */
struct dial *dial_start(struct client *c, struct dial_owner *owner,
	const struct dial_params *params);

/* Give it up: the owner is not called. NULL is accepted. */
void dial_cancel(struct dial **d);

#endif
