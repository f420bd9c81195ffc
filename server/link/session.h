/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A session is a connection on bindPort that carries many streams (yamux, what
 * frp calls tcpMux): a client's control and its work connections. Each stream
 * is a greeting first. It ends when its connection does, when a ping is not
 * answered, or when it has carried nothing for firstMessageTimeout.
 */

#ifndef ADIT_SERVER_LINK_SESSION_H
#define ADIT_SERVER_LINK_SESSION_H

#include "common/relay/mux.h"
#include "server/link/link.h"

struct worker;

/* Streams of a session at once. */
#define SESSION_STREAMS_MAX 16384

/* Streams that have not said yet what they are; more are cut. */
#define SESSION_SILENT_MAX 256

struct session {
	struct mux mux; /* first: it is the mux's memory */
	struct worker *worker;
	struct link link;  /* of its streams */
	struct list place; /* worker's sessions */
	struct timer idle; /* when to look whether it carries anything */
	uint32_t silent;   /* streams that have said nothing yet */
};

/* Prepare the worker's sessions. */
void session_init(struct worker *w);

/* One over the stream, which is taken over with what is unread. */
void session_open(struct worker *w, struct stream *s, const struct link *link);

/* A stream of the session, which may be gone, has said what it is, or ended. */
void session_heard(struct worker *w, struct handle session);

/* The worker ends. */
void session_close(struct session *s);

#endif
