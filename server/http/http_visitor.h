/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is particular about a visitor on vhostHTTPPort: one request after the
 * other is read, checked and routed by its own Host, exchanged with a service,
 * and the next one is read, in order, as long as both sides go on.
 */

#ifndef ADIT_SERVER_HTTP_HTTP_VISITOR_H
#define ADIT_SERVER_HTTP_HTTP_VISITOR_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/reason.h"

struct address;
struct http_visit;
struct listener;
struct stream;
struct visitor;
struct worker;

/* Of the listener on vhostHTTPPort. */
void http_visitor_accept(struct listener *l, int fd);

/* One whose stream, taken over, came to a port of clients as well. */
void http_visitor_adopt(
	struct worker *w, struct stream *s, const struct address *peer);

/* The visitor has its work connection: send the request, and so on. */
void http_visitor_run(struct visitor *v);

/* The visitor's request, if there is one, ends so: leave both streams. */
void http_visitor_stop(struct visitor *v, enum reason why);

/* Visitors are held no more (worker_holds): its next request is read. */
void http_visitor_resume(struct visitor *v);

/*
 * No service has seen anything of its request: all that it has said of it is
 * unread again, in its stream. False: there is no memory.
 */
bool http_visitor_unsay(struct visitor *v) must_check;

/* The worker drains: one between two requests ends. */
void http_visitor_drain(struct visitor *v);

/*
 * The request cannot be served, and no exchange runs: answer. The visitor goes
 * on with its next one if `may_stay` and the request allows it.
 */
void http_visitor_fail(struct visitor *v, enum reason why, bool may_stay);

/*
 * What http knows of a visitor, taken from it (NULL: nothing) and given to
 * another one, perhaps on another thread; no bytes of it are a pool's.
 */
struct http_visit *http_visit_take(struct visitor *v);
void http_visit_give(struct http_visit *h, struct visitor *v);

/* NULL is accepted. */
void http_visit_free(struct http_visit **h);

#endif
