/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor is one connection from the public side, from its accept to its
 * end: perhaps a request head to read, a wait for a work connection, the
 * StartWorkConn on it, then the relay.
 */

#ifndef ADIT_SERVER_VISITOR_H
#define ADIT_SERVER_VISITOR_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/relay/relay.h"

struct http_visit;
struct listener;
struct proxy;
struct worker;

enum visitor_state {
	/* http: the request head is being read. Next: WAITING, CLOSED. */
	VISITOR_HEAD,
	/* In the control's queue. Next: STARTING, CLOSED. */
	VISITOR_WAITING,
	/* StartWorkConn is being sent. Next: WAITING, RELAYING, CLOSED. */
	VISITOR_STARTING,
	/* Joined to the work connection. Next: CLOSED. */
	VISITOR_RELAYING,
	/* Everything is given up; freed with the next turn. */
	VISITOR_CLOSED,
};

struct visitor {
	struct worker *worker;
	struct proxy *proxy;   /* NULL: not known yet, or closed since */
	struct stream *stream; /* the visitor's */
	struct stream *work;   /* the work connection; from STARTING on */
	struct list link;      /* worker's visitors */
	struct list of_proxy;  /* proxy's visitors, while it has one */
	struct list queue;     /* control's waiting, while WAITING */
	struct stream_reader reader;
	struct stream_writer writer;
	struct timer timer;
	struct relay relay;
	struct http_visit *http; /* what http knows; NULL for tcp; owned */
	struct address peer, self;
	uint8_t tries; /* work connections that failed at their start */
	uint8_t state; /* enum visitor_state */
};

/* A visitor of the tcp proxy. */
void visitor_accept_tcp(struct proxy *p, struct listener *l, int fd);

/*
 * A visitor of no proxy yet, in state HEAD; NULL at a limit: the descriptor
 * is closed then, and the listener pauses.
 */
struct visitor *visitor_new(
	struct worker *w, struct listener *l, int fd) must_check;

/* It belongs to the proxy from now on, and wants a work connection. */
void visitor_route(struct visitor *v, struct proxy *p);

/* The control has a work connection for it (it is WAITING, or new). */
void visitor_start(struct visitor *v, struct stream *work);

/* Its proxy goes: a waiting visitor is turned away, a relay goes on. */
void visitor_lose_proxy(struct visitor *v, enum reason why);

/* Give everything up: cut, unless the reason is clean. */
void visitor_close(struct visitor *v, enum reason why);

#endif
