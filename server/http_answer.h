/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answers that are aditd's own: each is counted, sent, and the last of its
 * connection.
 */

#ifndef ADIT_SERVER_HTTP_ANSWER_H
#define ADIT_SERVER_HTTP_ANSWER_H

struct request_facts;
struct stream;
struct worker;

/*
 * Answer on the stream, which is taken over: it lingers until the visitor has
 * heard it. `request`: what is known of the request; all zero: nothing.
 */
void http_answer(struct worker *w, struct stream *s, int status,
	const struct request_facts *request);

#endif
