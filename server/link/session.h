/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A session is a connection on bindPort that carries many streams (yamux, what
 * frp calls tcpMux): a client's control and its work connections. Each stream
 * is a greeting first. It ends when its connection does, when a ping is not
 * answered, or when it has carried nothing for firstMessageTimeout.
 *
 * Until a login was accepted in it, it is as half-open as the greeting that it
 * was: it keeps that one's room, has a few streams in all, and no more time.
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

/* Streams in all before there is a login that is no replay: frpc has one. */
#define SESSION_FIRST_STREAMS 4

enum session_state {
	/* Nobody has logged in: it is half-open. Next: GUEST, KNOWN. */
	SESSION_STRANGER,
	/* Somebody has, who may have overheard the login. Next: KNOWN. */
	SESSION_GUEST,
	SESSION_KNOWN,
};

struct session {
	struct mux mux; /* first: it is the mux's memory */
	struct worker *worker;
	struct link link;  /* of its streams */
	struct list place; /* worker's sessions */
	struct timer idle; /* when to look whether it carries anything */
	uint32_t silent;   /* streams that have said nothing yet */
	uint32_t first;    /* streams so far, until it is known */
	uint32_t address;  /* half_open.h: a stranger's */
	uint8_t state;     /* enum session_state */
};

/* Prepare the worker's sessions. */
void session_init(struct worker *w);

/*
 * One over the stream, which is taken over with what is unread, and with the
 * room that its address has for it among those that are half-open.
 */
void session_open(struct worker *w, struct stream *s, const struct link *link,
	uint32_t address);

/*
 * A login was accepted on a stream of the session, which may be gone; `proven`:
 * it is no replay.
 */
void session_admit(struct worker *w, struct handle session, bool proven);

/* A stream of the session, which may be gone, has said what it is, or ended. */
void session_heard(struct worker *w, struct handle session);

/* The worker ends. */
void session_close(struct session *s);

#endif
