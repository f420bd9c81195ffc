/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answers that are aditd's own: each is counted, sent, and the last of its
 * connection.
 */

#ifndef ADIT_SERVER_HTTP_ANSWER_H
#define ADIT_SERVER_HTTP_ANSWER_H

#include <stdbool.h>

struct chunk;
struct request_facts;
struct stream;
struct worker;

/*
 * Answer on the stream, which is taken over: it lingers until the visitor has
 * heard it. `request`: what is known of the request; all zero: nothing.
 */
void http_answer(struct worker *w, struct stream *s, int status,
	const struct request_facts *request);

/*
 * Whether the first bytes of a connection are those of HTTP/2 (RFC 9113,
 * section 3.4), and what is said to them, on the stream, which is taken over:
 * HTTP/1.1 is asked for.
 */
bool http_answer_is_h2(const struct chunk *c);
void http_answer_h2(struct worker *w, struct stream *s);

#endif
