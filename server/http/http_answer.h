/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answers that are aditd's own: each is counted by what happened, and
 * written as the settings want it.
 */

#ifndef ADIT_SERVER_HTTP_HTTP_ANSWER_H
#define ADIT_SERVER_HTTP_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct chunk;
struct request_facts;
struct stream;
struct worker;

/* What is to be answered, and how it was. */
struct http_answer {
	int status;                          /* in: what happened */
	const struct request_facts *request; /* all zero: nothing is known */
	uint64_t id;                         /* of the request */
	bool keep;     /* the visitor stays, unless the worker drains */
	int said;      /* out: the status that the visitor reads */
	uint64_t body; /* out: bytes of the body */
};

/* The answer in a chunk of its own; NULL without memory. */
struct chunk *http_answer_make(struct worker *w, struct http_answer *answer);

/*
 * Whether the first bytes of a connection are those of HTTP/2 (RFC 9113,
 * section 3.4), and what is said to them, on the stream, which is taken over:
 * HTTP/1.1 is asked for.
 */
bool http_answer_is_h2(const struct chunk *c);
void http_answer_h2(struct worker *w, struct stream *s);

#endif
