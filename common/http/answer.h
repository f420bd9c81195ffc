/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The small responses that are our own: refusals, no such site, no service.
 * They say what happened in one sentence, as a page for browsers and as a line
 * for others, name the request, and never tell internals. No cache keeps them.
 */

#ifndef ADIT_HTTP_ANSWER_H
#define ADIT_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* Bytes that an answer needs besides a body of the caller's. */
#define ANSWER_SIZE_MAX 2048

struct answer {
	int status;       /* one that answer_reason() knows, otherwise 500 */
	const char *body; /* a page of the caller's, borrowed; NULL: ours */
	size_t body_len;
	const char *date; /* as RFC 9110, section 5.6.7; NULL: no Date */
	const char *id;   /* of the request, plain letters; NULL: not told */
	bool html;        /* the visitor reads pages */
	bool head;        /* the request was HEAD: the body is not sent */
	bool keep;        /* another request may follow */
	bool old;         /* to HTTP/1.0, where that has to be said */
};

/* How it was written. */
struct answer_size {
	size_t all;  /* bytes; 0: it does not fit */
	size_t body; /* of them the body's */
};

/*
 * Writes a complete response. ANSWER_SIZE_MAX + body_len bytes are enough as
 * long as date and id stay below 64 bytes each. Frp's words for a login that is
 * asked for (401, 407) are neither a page nor name the request.
 */
must_check struct answer_size answer_build(
	uint8_t *out, size_t size, const struct answer *answer);

/* The reason phrase of a status, NULL if there is no answer of that status. */
const char *answer_reason(int status);

#endif
