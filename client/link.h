/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A link is a connection to the server on its way to its first message: it is
 * dialled, and WebSocket and TLS are agreed on, by `transport`. What comes out
 * is a stream and what it has come through.
 */

#ifndef ADIT_CLIENT_LINK_H
#define ADIT_CLIENT_LINK_H

#include "client/dial.h"
#include "common/crypto/tls.h"
#include "common/relay/stream.h"

struct client;

/* The handshakes may take so long. */
#define LINK_SHAKE_TIME (10 * CLOCK_SECOND)

/* Bytes of a sentence on why there is none. */
#define LINK_ERROR_SIZE 512

struct link {
	struct client *client;
	struct link_owner *owner;
	struct dial *dial; /* while the server is being dialled */
	struct dial_owner dial_owner;
	struct stream *stream; /* after that; owned */
	struct stream_writer writer;
	struct timer timer;
	bool plain;  /* there is to be no TLS */
	bool secure; /* the stream is inside TLS */
};

/* What came of it: the stream is the owner's. */
struct link_outcome {
	struct stream *stream;            /* NULL: none, and */
	const char *error;                /* why; for the call only */
	bool adit;                        /* TLS under TLS_ALPN_ADIT; then: */
	uint8_t binding[TLS_EXPORT_SIZE]; /* what names that session */
};

/* Embedded in who wants one; called once, when the link is over. */
struct link_owner {
	void (*linked)(struct link_owner *o, const struct link_outcome *r);
};

/*
 * Make one; `plain`: without TLS, whatever `transport` says. NULL when it is
 * over already: the owner was called.
 */
struct link *link_start(struct client *c, struct link_owner *owner, bool plain);

/* Give it up: the owner is not called. NULL is accepted. */
void link_cancel(struct link **l);

#endif
