/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The small responses that are our own: refusals, no such site, no service.
 * They say what happened in one sentence and never tell internals.
 */

#ifndef ADIT_HTTP_ANSWER_H
#define ADIT_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* Bytes that an answer needs besides a body of the caller's. */
#define ANSWER_SIZE_MAX 1024

struct answer {
	int status;       /* one that answer_reason() knows, otherwise 500 */
	const char *body; /* borrowed; NULL: a sentence as text/plain */
	size_t body_len;
	const char *content_type; /* of `body`; NULL: text/html, UTF-8 */
	const char *date; /* as RFC 9110, section 5.6.7; NULL: no Date */
	bool head;        /* the request was HEAD: the body is not sent */
};

/*
 * Writes a complete response, which ends the connection (`Connection: close`).
 * Returns its size in bytes, 0 if it does not fit; ANSWER_SIZE_MAX + body_len
 * bytes are enough as long as content_type and date stay below 128 bytes each.
 */
must_check size_t answer_build(
	uint8_t *out, size_t size, const struct answer *answer);

/* The reason phrase of a status, NULL if there is no answer of that status. */
const char *answer_reason(int status);

#endif
