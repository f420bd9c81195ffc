/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor is one connection from the public side, from its accept to its
 * end: perhaps a request head to read, a wish for a work connection, a wait,
 * the StartWorkConn, then the relay. When the work connection that it gets is
 * another worker's, it goes there: this object ends, and one there begins.
 */

#ifndef ADIT_SERVER_VISITOR_VISITOR_H
#define ADIT_SERVER_VISITOR_VISITOR_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/relay/relay.h"
#include "server/registry/claim.h"
#include "server/link/hello_reader.h"

struct http_visit;
struct listener;
struct offering;
struct question;
struct route;
struct sealing;
struct user_load;
struct worker;

enum visitor_state {
	/*
	 * http: the request head is being read; https: the ClientHello. Next:
	 * ASKING, ANSWERING, CLOSED.
	 */
	VISITOR_HEAD,
	/*
	 * The matchmaker has its wish. Next: WAITING, STARTING, CLOSED; or it
	 * goes to another worker.
	 */
	VISITOR_ASKING,
	/* In the matchmaker's queue. Next: STARTING, ASKING, CLOSED. */
	VISITOR_WAITING,
	/* StartWorkConn is being sent. Next: ASKING, RELAYING, CLOSED. */
	VISITOR_STARTING,
	/* Joined to the work connection. Next: HEAD, ANSWERING, CLOSED. */
	VISITOR_RELAYING,
	/*
	 * http: an answer of ours is being sent, and the visitor stays. From
	 * all but CLOSED. Next: HEAD, CLOSED.
	 */
	VISITOR_ANSWERING,
	/*
	 * Another aditd gets it (server/upgrade/passing.h). From all but
	 * RELAYING. Next: gone, CLOSED.
	 */
	VISITOR_PASSING,
	/* Everything is given up; freed with the next turn. */
	VISITOR_CLOSED,
};

struct visitor {
	struct worker *worker;
	struct route *route;   /* held; NULL: not known yet */
	struct stream *stream; /* the visitor's */
	struct stream *work;   /* the work connection; from STARTING on */
	struct handle wish;    /* the matchmaker's, while WAITING */
	uint32_t question;     /* the last one that it had for a matchmaker */
	int64_t waits_since;   /* clock.h, while WAITING */
	struct list link;      /* worker's visitors */
	struct stream_reader reader;
	struct stream_writer writer;
	struct timer timer;
	struct relay relay;
	struct http_visit *http;   /* what http knows; else NULL; owned */
	struct user_load *load;    /* where it is counted; held; or NULL */
	struct hello_reader hello; /* https, in HEAD */
	struct address peer, self; /* `self` is not of http */
	uint8_t tries;   /* work connections that failed at their start */
	uint8_t detours; /* others of its group that were asked */
	bool fixed;      /* a receive may be in flight: it stays here */
	uint8_t state;   /* enum visitor_state */
};

/*
 * Whether one more may come to the route, by the limits of its user, whose
 * load is then the visitor's.
 */
bool visitor_may_come(struct worker *w, const struct route *r,
	struct user_load **load_r) must_check;

/* It has gone, or never came; NULL is accepted. */
void visitor_load_give(struct user_load **load);

/* Whether it has come to vhostHTTPSPort. */
bool visitor_is_https(const struct visitor *v) must_check;

/* A tcp visitor in state HEAD, which has its route now. */
void visitor_enter(struct visitor *v, struct route *r);

/*
 * No service has seen anything of it: nobody brings it a work connection any
 * more, and all that it has said is unread in its stream. It is PASSING then;
 * false: it was closed, as there is no memory.
 */
bool visitor_part(struct visitor *v) must_check;

/* A visitor of the tcp route. */
void visitor_accept_tcp(struct listener *l, struct route *r, int fd);

/*
 * A visitor of no route yet, in state HEAD; NULL at a limit: the descriptor
 * is closed then, and the listener pauses.
 */
struct visitor *visitor_new(
	struct worker *w, struct listener *l, int fd) must_check;

/* The same on a stream, which is taken over, and from a known address. */
struct visitor *visitor_adopt(struct worker *w, struct stream *s,
	const struct address *peer) must_check;

/*
 * One that goes on here, on the stream, which may be NULL and is taken over;
 * within the server's quota, in state HEAD. NULL at a limit of memory.
 */
struct visitor *visitor_open(struct worker *w, struct stream *s) must_check;

/*
 * Such a one has asked already. `r`: its route, NULL if that has gone; `work`:
 * what it was given and takes over, with how the start goes out on it, NULL if
 * that has died.
 */
void visitor_go_on(struct visitor *v, struct route *r, struct stream *work,
	const struct sealing *sealing);

/* It was parked, and is relayed again, over the stream that it takes over. */
void visitor_resume(struct visitor *v, struct route *r, struct stream *work);

/* http: the request goes out on a stream that has served before. */
void visitor_serve(struct visitor *v, struct route *r, struct stream *work);

/*
 * http: the work connection was dead; the same request wants another one, of
 * the same route where that has just been `idle`, else of its group.
 */
void visitor_retry(struct visitor *v, bool idle);

/* http: whether others of the route's group could be asked instead. */
bool visitor_may_detour(const struct visitor *v);

/*
 * http: the request is over for this reason, and is answered by us; `sent` is
 * called as by stream_write, and may close the visitor, or let it await.
 */
void visitor_answer(struct visitor *v, struct chunk *c, enum reason why,
	void (*sent)(struct stream_writer *w, struct chunk *c, int result));

/* http: the exchange is over, the next request is awaited. */
void visitor_await(struct visitor *v);

/* http: how to relay, where the two speak something else from now on. */
struct relay_params visitor_relay_params(struct visitor *v);

/* It is parked: nothing is left of it but its route, the caller's now. */
struct route *visitor_leave(struct visitor *v) must_check;

/* It goes this way from now on, and wants a work connection. */
void visitor_route(struct visitor *v, struct route *r);

/*
 * What it wants cannot be had: one of http is told so, and may go on with its
 * next request if `may_stay`: nobody has its wish any more. Others are closed.
 */
void visitor_fail(struct visitor *v, enum reason why, bool may_stay);

/* Give everything up: cut, unless the reason is clean. */
void visitor_close(struct visitor *v, enum reason why);

/* --- for the work connections on its worker `w` --- */

/* Whether the question's visitor still has it. */
bool visitor_waits(struct worker *w, struct question q);

/* Give it the work connection; false: it wants none, and the stream stays. */
bool visitor_bring(struct worker *w, struct question q, struct stream *work,
	const struct sealing *sealing) must_check;

/* --- letters to its worker, from the worker `w`: answers to a question --- */

/* What was promised has died. */
void visitor_tell_ask_again(struct worker *w, struct question q);

/* Go to the worker of your route's control. */
void visitor_tell_home(struct worker *w, struct question q);

void visitor_tell_wait(struct worker *w, struct question q, struct handle wish);
void visitor_tell_match(
	struct worker *w, struct question q, const struct offering *work);
void visitor_tell_away(struct worker *w, struct question q, enum reason why);

#endif
