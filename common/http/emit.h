/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writes the head that the service gets, and the one that the visitor gets: not
 * a copy, but what was parsed, written anew, so that nothing ambiguous passes.
 * Fields keep their case, order and duplicates; those of one connection go,
 * those that tell who the visitor is are set. Sources: RFC 9110, sections
 * 6.6.1, 7.6 and 7.8; RFC 9112, sections 3.2 and 9.6.
 */

#ifndef ADIT_HTTP_EMIT_H
#define ADIT_HTTP_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/compiler.h"

struct http_framing;
struct http_head;
struct http_target;

/*
 * A forwarded head is at most this much larger than the one received, unless
 * its target has bytes >= 0x80, each of which grows to three, its Host is
 * rewritten, or fields are set.
 */
#define EMIT_EXTRA 1024

/* Entries of X-Forwarded-For; a request that has more goes in a circle. */
#define EMIT_FORWARDED_MAX 20

/* Fields that the head has whatever came: these, instead of any so called. */
struct emit_field {
	const char *name, *value;
};

struct emit_set {
	const struct emit_field *v;
	size_t count;
};

/* What they add to a head at most, beyond EMIT_EXTRA. */
size_t emit_set_size(const struct emit_set *set);

/* What the head is made of. All are borrowed for the call. */
struct emit_params {
	const struct http_head *head;       /* complete */
	const uint8_t *data;                /* its bytes */
	const struct http_target *target;   /* of this head, accepted */
	const struct http_framing *framing; /* of this head, accepted */
	const char *peer;    /* the visitor's address as text, without port */
	const char *host;    /* Host where the request has none; NULL: empty */
	const char *rewrite; /* Host whatever it has; NULL: no matter */
	const struct emit_set *set; /* NULL: none */
	const char *
		upgrade; /* the protocols offered (upgrade.h); NULL, "": none */
	bool tls;        /* the visitor came by TLS: X-Forwarded-Proto */
	bool trusted;    /* the peer is a trusted proxy: keep what it set */
	bool absolute;   /* the service is a proxy: the target as it came */
	bool via;        /* say that it came this way */
};

/*
 * Writes the forwarded head to `out`, with its empty line. Returns its size in
 * bytes, -EMSGSIZE if it exceeds `size`, or -508 if X-Forwarded-For has more
 * than EMIT_FORWARDED_MAX entries.
 *
 * The request line is HTTP/1.1 with the target in origin form (or `*`, or as
 * it came if `absolute`), bytes >= 0x80 percent-encoded. Dropped: Connection
 * and the fields it nominates (except those that route, frame, authenticate or
 * tell the visitor), the fields of one connection, Expect unless framing says
 * so, and names that only differ by `_` for `-` from one that is set or
 * decided by. X-Forwarded-For is appended to; X-Forwarded-Host and -Proto are
 * set, and Forwarded and X-Real-IP dropped, unless the peer is trusted and
 * sent them. The service is not asked to close; an upgrade ends the head with
 * `Connection: Upgrade` and what is offered, a chunked body with its
 * Transfer-Encoding. Max-Forwards of OPTIONS counts down. CONNECT has no
 * forwarded fields, and keeps Proxy-Authorization, as in frp.
 */
must_check ssize_t emit_request(
	uint8_t *out, size_t size, const struct emit_params *params);

/* What the head for the visitor is made of. All are borrowed for the call. */
struct emit_response_params {
	const struct http_head *head; /* complete, a response's */
	const uint8_t *data;
	const struct http_framing *framing; /* of this head, accepted */
	const char *date; /* where it has none (RFC 9110, section 5.6.7) */
	const struct emit_set *set; /* NULL: none */
	bool old;                   /* the visitor speaks HTTP/1.0 */
	bool trailers;              /* it takes them */
	bool via;                   /* say that it came this way */
	bool connect;               /* a 2xx that was asked for by CONNECT */
	bool close; /* the visitor's connection ends with the response */
};

/*
 * Writes the head for the visitor to `out`: its size, or -EMSGSIZE. The status
 * line is HTTP/1.1 with the status and the reason as they came. Dropped:
 * Connection and what it nominates, the fields of one connection, Trailer
 * unless trailers are passed, and a length where the status has none; Upgrade
 * stays with 101 and 426. A chunked body has its Transfer-Encoding, except for
 * HTTP/1.0. Date is added. The head ends with what the visitor has to know of
 * its connection. What is larger than the head received is at most EMIT_EXTRA.
 */
must_check ssize_t emit_response(
	uint8_t *out, size_t size, const struct emit_response_params *params);

#endif
