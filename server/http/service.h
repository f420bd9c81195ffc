/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A service is a work connection that has been started for an http proxy and
 * waits, idle, for the next request: on the worker that it is on, in the set of
 * the route that it was started for, and in no other; perhaps for the requests
 * of one visitor only. Whatever it says by itself ends it. Sources: RFC 9112,
 * section 9.3; RFC 9110, section 9.2.2.
 */

#ifndef ADIT_SERVER_HTTP_SERVICE_H
#define ADIT_SERVER_HTTP_SERVICE_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/base/timer.h"
#include "common/relay/stream.h"

struct route;
struct worker;

/*
 * How long one is kept, below what services themselves use. How many, of a
 * route on one worker: http.idleWorkConnections; where visitors ask in step,
 * fewer than there are of these means to connect anew all the time.
 */
#define SERVICE_IDLE (4 * CLOCK_SECOND)

/*
 * The same of one that only its visitor uses, and for how long that visitor
 * takes it to be alive without a chance to ask twice.
 */
#define SERVICE_PRIVATE (60 * CLOCK_SECOND)
#define SERVICE_FRESH (1 * CLOCK_SECOND)

/* How long none of a route are kept after one has spoken by itself. */
#define SERVICE_STRIKE (600 * CLOCK_SECOND)

struct service {
	struct worker *worker;
	struct route *route; /* it is closed before that goes */
	struct stream *stream;
	struct stream_reader reader;
	struct list link; /* route's services, the latest used first */
	struct list age;  /* worker's, by `until` */
	int64_t since, until;
	struct address visitor; /* whom it was started for */
	bool private;           /* for that visitor's connection only */
};

/* What is known of one that is to rest. */
struct service_facts {
	struct address visitor; /* whom it was started for */
	bool private;           /* it knows who its visitor is: see NTLM */
	uint32_t keeps_s; /* how long it keeps the connection; 0: unsaid */
};

/* All idle ones of a worker. */
struct services {
	struct list age;
	struct timer timer;
};

void services_init(struct worker *w);

/*
 * The work connection, which is not being written, is idle from now on, or is
 * closed: the route is closed, has too many, or does not share. Its handle, by
 * which its visitor finds it again; one that nobody has, if it was closed.
 */
struct handle service_rest(struct worker *w, struct route *r, struct stream *s,
	const struct service_facts *facts);

/*
 * A service of the route has said more than it was asked: that is counted and
 * logged, the idle ones end, and none are kept for SERVICE_STRIKE; on the other
 * workers, too, when they have heard of it.
 */
void service_strike(struct worker *w, struct route *r);

/* One for the visitor; NULL: there is none. */
struct stream *service_take(struct worker *w, struct route *r,
	const struct address *visitor) must_check;

/*
 * The visitor's last one, if it still rests in the set of the route; what is
 * private goes on whatever the request is, others only for a second, or if
 * `may_repeat`. NULL: another one has to do. `known_r`: it was a private one.
 */
struct stream *service_take_last(struct worker *w, struct route *r,
	struct handle last, bool may_repeat, bool *known_r) must_check;

/*
 * Whose the visitor's last one is, if it is private and still rests; else NULL.
 */
struct route *service_pinned_to(struct worker *w, struct handle last);

/* The visitor goes, or turns to another route: a private one ends. */
void service_forget(struct worker *w, struct handle last);

/* The route closes: so do its idle ones. */
void services_leave(struct route *r);

/* http.reuse is another one: end those that are not private. */
void services_scatter(struct worker *w);

/* The worker ends. */
void services_close(struct worker *w);

#endif
