/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is particular about a visitor on vhostHTTPPort: its request head is
 * read, checked and routed by Host, forwarded with our fields, and its body
 * passes up to the length it announced. One request a connection; what comes
 * after it is dropped.
 */

#ifndef ADIT_SERVER_HTTP_VISITOR_H
#define ADIT_SERVER_HTTP_VISITOR_H

struct http_visit;
struct listener;
struct relay_params;
struct visitor;

/* Of the listener on vhostHTTPPort. */
void http_visitor_accept(struct listener *l, int fd);

/*
 * The work connection is ready: complete the parameters, initialise the
 * visitor's relay with them and push the forwarded head.
 */
void http_visitor_prepare(struct visitor *v, struct relay_params *params);

/*
 * Answer with a status of our own and part from the stream, which is NULL
 * afterwards.
 */
void http_visitor_answer(struct visitor *v, int status);

/*
 * What http knows of a visitor, taken from it (NULL: nothing) and given to
 * another one, perhaps on another thread; no bytes of it are a pool's.
 */
struct http_visit *http_visit_take(struct visitor *v);
void http_visit_give(struct http_visit *h, struct visitor *v);

/* NULL is accepted. */
void http_visit_free(struct http_visit **h);

#endif
