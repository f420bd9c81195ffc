/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How far a message reaches: whether a body follows its head and how its end is
 * found, whether another message may follow, whether the visitor waits for 100,
 * whether the two leave HTTP. Sources: RFC 9112, sections 6 and 9; RFC 9110,
 * sections 6.4.1, 6.5, 7.8, 8.6, 10.1.1; RFC 2068, section 19.7.1.1
 * (Keep-Alive).
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
	FRAMING_CLOSE,   /* a response's: until its sender ends */
};

struct http_framing {
	enum framing_body body;
	uint64_t length;   /* at most 2^63 - 1; 0 unless FRAMING_LENGTH */
	const char *error; /* after a refusal: static text */
	bool expect;       /* a body follows and the visitor may await 100 */
	bool upgrade;      /* Upgrade is nominated, by HTTP/1.1, no body */
	bool close;        /* its sender wants this exchange to be the last */
	bool pinned;       /* it authenticates the connection (NTLM) */
	bool repaired;     /* a response's: equal lengths, TE identity */
	bool trailers;     /* a request's: its sender takes trailers */
	/* A response's: how long its sender keeps the connection; 0: unsaid. */
	uint32_t keeps_s;
};

/*
 * Decides the framing of a complete head. Returns 0, -400 (ambiguous or
 * malformed), -417 (an expectation other than one 100-continue) or -501
 * (codings before chunked). After a refusal the connection has to end with the
 * answer, as nobody knows where the next request starts.
 */
must_check int framing_request(struct http_framing *framing,
	const struct http_head *head, const uint8_t *data);

/*
 * The same of a complete response head; `bodiless`: whatever it says, it has no
 * body, as the request was HEAD, or CONNECT and this is 2xx. Returns 0 or -502.
 * A 101 has no body.
 */
must_check int framing_response(struct http_framing *framing,
	const struct http_head *head, const uint8_t *data, bool bodiless);

/* Whether at least one byte follows the head. */
static inline bool framing_has_body(const struct http_framing *framing)
{
	return framing->body == FRAMING_CHUNKED ||
	       framing->body == FRAMING_CLOSE || framing->length > 0;
}

#endif
