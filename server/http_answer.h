/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The answers that are aditd's own: each is counted by what happened, and
 * written as the settings want it.
 */

#ifndef ADIT_SERVER_HTTP_ANSWER_H
#define ADIT_SERVER_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct request_facts;
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

#endif
