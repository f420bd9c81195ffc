/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A greeting is a connection on bindPort, or a stream of a session, whose
 * first message has not come yet. The first bytes tell what it speaks: TLS or
 * WebSocket, inside of which it begins anew; yamux, whose streams are
 * greetings of their own; HTTP or TLS of a visitor, where the port is theirs as
 * well; or frp's messages, of which the first says what it is (Login: a
 * control; NewWorkConn: a work connection). All that must come within
 * firstMessageTimeout, however slowly its bytes do.
 *
 * Until its first words are all there, a whole ClientHello where it is TLS, it
 * is a stranger and costs little: it keeps a few bytes, and gives way to who
 * comes after when there are too many. Then it enters, if there is room
 * (half_open.h), or waits for it.
 */

#ifndef ADIT_SERVER_LINK_GREETING_H
#define ADIT_SERVER_LINK_GREETING_H

#include "common/base/timer.h"
#include "common/relay/channel.h"
#include "server/link/hello_reader.h"
#include "server/link/link.h"
#include "server/listener.h"

/* Strangers and those that wait, of all workers, besides the work connections
 * that were asked for; half of them may wait. */
#define GREETINGS_WAITING 2048
/* The same of a worker, if there are very many. */
#define GREETINGS_WAITING_MIN 64

/* How long a stranger has at least: meanwhile bindPort pauses. */
#define GREETING_GRACE (100 * CLOCK_MS)

/* Bytes that one of them may keep. */
#define GREETING_WORDS_MAX 2048

enum greeting_state {
	/* The first bytes of a layer are awaited. Next: HELLO, QUEUED,
	 * MESSAGE. */
	GREETING_BYTES,
	/* A ClientHello is being gathered. Next: QUEUED, BYTES. */
	GREETING_HELLO,
	/* Its first words are there, unread, but no room. Next: BYTES. */
	GREETING_QUEUED,
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
	struct list place; /* worker's strangers, queue or greetings */
	struct timer deadline;
	int64_t since; /* clock.h */
	struct link link;
	bool marked;      /* its TLS began with frp's own first byte */
	bool web;         /* it is inside WebSocket */
	bool resumes;     /* it offers to resume a session */
	bool entered;     /* it is no stranger, and does not wait */
	bool known_only;  /* its room is that of those who resume */
	bool succeeded;   /* its room is its session's */
	uint32_t address; /* where it counts, if it has come by itself */
	uint8_t state;    /* enum greeting_state */
};

/* Of the listener on bindPort. */
void greeting_accept(struct listener *l, int fd);

/* On a stream of a session, which is taken over; session_heard is called when
 * it is over, be it inside the call. */
void greeting_begin(
	struct worker *w, struct stream *s, const struct link *link);

/* Close it. */
void greeting_close(struct greeting *g, enum reason why);

/* The worker ends: close all of them. */
void greetings_cut(struct worker *w);

#endif
