/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How far a request reaches: whether a body follows its head and how its end is
 * found, whether the visitor waits for 100, whether it asks to leave HTTP.
 * Sources: RFC 9112, sections 6 and 9.6; RFC 9110, sections 7.8, 8.6, 10.1.1.
 */

#ifndef ADIT_HTTP_FRAMING_H
#define ADIT_HTTP_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct http_head;

/* Options of the Connection fields of one request; more are refused. */
#define HTTP_OPTIONS_MAX 100

enum framing_body {
	FRAMING_NONE,    /* neither Content-Length nor Transfer-Encoding */
	FRAMING_LENGTH,  /* `length` bytes; may be 0 */
	FRAMING_CHUNKED, /* until the last chunk and its trailers */
};

struct http_framing {
	enum framing_body body;
	uint64_t length;   /* at most 2^63 - 1; 0 unless FRAMING_LENGTH */
	const char *error; /* after a refusal: static text */
	bool expect;       /* a body follows and the visitor may await 100 */
	bool upgrade;      /* websocket is offered, by HTTP/1.1, no body */
	bool close;        /* the visitor wants this exchange to be the last */
};

/*
 * Decides the framing of a complete head. Returns 0, -400 (ambiguous or
 * malformed), -417 (an expectation other than one 100-continue) or -501
 * (codings before chunked). After a refusal the connection has to end with the
 * answer, as nobody knows where the next request starts.
 */
must_check int framing_request(struct http_framing *framing,
	const struct http_head *head, const uint8_t *data);

/* Whether at least one byte follows the head. */
static inline bool framing_has_body(const struct http_framing *framing)
{
	return framing->body == FRAMING_CHUNKED || framing->length > 0;
}

#endif
