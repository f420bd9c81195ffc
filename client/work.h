/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A work connection, from the server's request for it to its end: dialled,
 * opened with NewWorkConn, idle until StartWorkConn names a proxy, then joined
 * to a connection to that proxy's local service. With the capability `reuse`
 * the connection is a carrier, and after its visitor it begins anew as an idle
 * one.
 */

#ifndef ADIT_CLIENT_WORK_H
#define ADIT_CLIENT_WORK_H

#include "client/link.h"
#include "client/lookout.h"
#include "common/crypto/sealed_start.h"
#include "common/relay/carrier.h"
#include "common/relay/channel.h"
#include "common/relay/relay.h"

struct proxy;

enum work_state {
	/* The link is being made. Next: IDLE, CLOSED. */
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

/* A carrier knows of which session it is. */
struct work_carrier {
	struct carrier carrier;
	struct client *client;
	uint32_t epoch;
	unsigned caps;
};

static inline struct work_carrier *work_carrier_of(struct stream *s)
{
	return container_of(carrier_of(s), struct work_carrier, carrier);
}

/* What admits a work connection. */
struct work_ticket {
	bool plain; /* one without TLS: its start is sealed */
	uint8_t bytes[TICKET_SIZE];
};

struct work {
	struct client *client;
	struct list link;       /* client's works */
	struct link *to_server; /* while DIALING */
	struct link_owner link_owner;
	struct dial *dial; /* while STARTED */
	struct dial_owner dial_owner;
	struct channel channel; /* while IDLE */
	struct stream *stream;  /* the work connection, from STARTED on */
	struct stream *local;   /* the local connection, while RELAYING */
	struct stream_writer writer;
	struct relay relay;
	struct lookout *lookout; /* on the relay; NULL: none */
	struct chunk *header;    /* for the local service, until it goes */
	struct timer timer;  /* DIALING: to try again; CLOSED: to be freed */
	struct proxy *proxy; /* held, from STARTED on */
	unsigned caps;       /* of the session it belongs to */
	uint8_t tries;       /* of the link that failed */
	bool place;          /* of the crew's quota; a carrier has its own */
	bool ticketed;       /* it is admitted by the ticket */
	struct work_ticket ticket;
	struct start_key start_key; /* if the ticket says plain, while IDLE */
	uint8_t state;              /* enum work_state */
};

/* Prepare this worker's carriers. */
void work_init(struct client *c);

/* The server asks for a work connection, which this worker makes in a place
 * that was taken for it; `ticket`: see crew_work_wanted. */
void work_open(struct client *c, const struct work_ticket *ticket);

/* Close it, cut unless the reason is clean. */
void work_close(struct work *k, enum reason why);

/* --- for those that are parked --- */

/* Nothing is left of it but its place, the caller's now; it is gone. */
void work_leave(struct work *k);

/* The carrier's visit `s`, put together anew, is this worker's. */
void work_claim_carrier(
	struct client *c, struct stream *s, uint32_t epoch, unsigned caps);

/*
 * It is relayed again, over the streams, which are taken over, as is the place
 * of one that is no carrier. Without memory all is closed.
 */
void work_resume(struct client *c, unsigned caps, struct proxy *proxy,
	struct stream *stream, struct stream *local);

/*
 * The session has ended: close those of this worker that serve nobody yet, if
 * it was `cut`, and carriers when their visitor goes. Else they are the
 * server's to close: it may just have sent a visitor to one. Those that are
 * being made are of no use.
 */
void works_lost(struct client *c, bool cut);

#endif
