/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A greeting is a connection on bindPort, or a stream of a session, whose
 * first message has not come yet. The first bytes tell what it speaks: TLS or
 * WebSocket, inside of which it begins anew; yamux, whose streams are
 * greetings of their own; HTTP or TLS of a visitor, where the port is theirs as
 * well; or frp's messages, of which the first says what it is (Login: a
 * control; NewWorkConn: a work connection). All that must come within
 * firstMessageTimeout, however slowly its bytes do. Only so many are read at a
 * time (half_open.h); the others wait for them, in three quarters of all
 * places at most: more are closed.
 */

#ifndef ADIT_SERVER_GREETING_H
#define ADIT_SERVER_GREETING_H

#include "common/base/timer.h"
#include "common/relay/channel.h"
#include "server/hello_reader.h"
#include "server/link.h"
#include "server/listener.h"

enum greeting_state {
	/* Too many are half open: nothing is read yet. Next: BYTES. */
	GREETING_QUEUED,
	/* The first bytes of a layer are awaited. Next: HELLO, MESSAGE. */
	GREETING_BYTES,
	/* A ClientHello is being gathered. Next: BYTES. */
	GREETING_HELLO,
	/* A message is awaited; the channel has the stream. */
	GREETING_MESSAGE,
};

struct greeting {
	struct worker *worker;
	struct stream *stream; /* owned, before MESSAGE */
	struct channel channel;
	struct stream_reader reader; /* before the channel's */
	struct chunk *first;         /* bytes that do not tell yet; or NULL */
	struct hello_reader hello;
	struct list place; /* worker's greetings */
	struct timer deadline;
	struct link link;
	bool marked;  /* its TLS began with frp's own first byte */
	bool web;     /* it is inside WebSocket */
	bool counted; /* among those that are half open, at `address` */
	uint32_t address;
	uint8_t state; /* enum greeting_state */
};

/* Of the listener on bindPort. */
void greeting_accept(struct listener *l, int fd);

/* On a stream of a session, which is taken over; session_heard is called when
 * it is over, be it inside the call. */
void greeting_begin(
	struct worker *w, struct stream *s, const struct link *link);

/* Let those in that have waited, if there is room now. */
void greetings_admit(struct worker *w);

/* Close it. */
void greeting_close(struct greeting *g, enum reason why);

#endif
