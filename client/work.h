/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A work connection, from the server's request for it to its end: dialled,
 * opened with NewWorkConn, idle until StartWorkConn names a proxy, then joined
 * to a connection to that proxy's local service.
 */

#ifndef ADIT_CLIENT_WORK_H
#define ADIT_CLIENT_WORK_H

#include "client/dial.h"
#include "common/relay/channel.h"
#include "common/relay/relay.h"

struct proxy;

enum work_state {
	/* The server is being dialled. Next: IDLE, CLOSED. */
	WORK_DIALING,
	/* NewWorkConn was sent; StartWorkConn is awaited. Next: STARTED. */
	WORK_IDLE,
	/* The local service is being dialled. Next: RELAYING, CLOSED. */
	WORK_STARTED,
	/* Joined. Next: CLOSED. */
	WORK_RELAYING,
	/* Everything is given up; freed with the next turn. */
	WORK_CLOSED,
};

struct work {
	struct client *client;
	struct list link;  /* client's works */
	struct dial *dial; /* while DIALING or STARTED */
	struct dial_owner dial_owner;
	struct channel channel; /* while IDLE */
	struct stream *stream;  /* the work connection, from STARTED on */
	struct stream *local;   /* the local connection, while RELAYING */
	struct stream_writer writer;
	struct relay relay;
	struct timer grave;
	const struct client_proxy *proxy; /* from STARTED on */
	bool half_close;                  /* of the session it belongs to */
	uint8_t state;                    /* enum work_state */
};

/* The server asks for a work connection, which this worker makes. */
void work_open(struct client *c);

/* Close it, cut unless the reason is clean. */
void work_close(struct work *k, enum reason why);

/* The session has ended: close those of this worker that serve nobody yet. */
void works_lost(struct client *c);

#endif
