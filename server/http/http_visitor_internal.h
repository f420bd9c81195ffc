/* SPDX-License-Identifier: Apache-2.0 */

/* What http_visitor.c (the request) and http_visitor_head.c (its head, from the
 * first byte until it is routed) have in common. */

#ifndef ADIT_SERVER_HTTP_HTTP_VISITOR_INTERNAL_H
#define ADIT_SERVER_HTTP_HTTP_VISITOR_INTERNAL_H

#include "server/http/account.h"
#include "server/http/exchange.h"
#include "server/http/head_reader.h"
#include "server/http/http_visitor.h"
#include "server/visitor/visitor.h"

/* What is known of a visitor beyond what a tcp one has. */
struct http_visit {
	struct visitor *visitor;
	struct head_reader pieces;
	struct request_facts request;
	struct exchange exchange;
	struct account account;  /* of the request that is under way */
	struct outcome outcome;  /* of it so far */
	struct chunk *forwarded; /* the head for the service; until it goes */
	struct chunk *said;      /* the head as it came; while it may go */
	struct handle last;      /* where its last request went (service.h) */
	uint32_t requests;       /* of this connection, so far */
	bool reused;             /* the service has served before */
	bool private;            /* ... this visitor only */
};

/* A service has it now, or it is over: it is nobody else's any more. */
static inline void http_visit_forget_said(struct http_visit *h)
{
	chunk_give(h->said);
	h->said = NULL;
}

/* Whether another request may follow, though nobody reads a body of this. */
static inline bool http_may_stay(const struct request_facts *q)
{
	return q->clear && !q->framing.close && !framing_has_body(&q->framing);
}

/* Whether it may go out on a connection that may be dead, and then again. */
static inline bool http_may_repeat(const struct request_facts *q)
{
	return q->again && !framing_has_body(&q->framing) &&
	       !q->framing.upgrade;
}

/* Answer with a status of our own; then the next request, or a farewell. */
void http_answer(struct visitor *v, int status, enum reason why, bool may_stay);

/* The request is over, the connection is not. */
void http_next(struct visitor *v);

#endif
