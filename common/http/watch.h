/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Follows the requests and responses of one connection while their bytes
 * pass, and tells of each request when it is answered. It only looks: the
 * bytes go on whatever it makes of them. What it cannot follow (a fault,
 * another protocol after 101 or CONNECT, too many requests at once) ends the
 * watch, not the connection.
 */

#ifndef ADIT_HTTP_WATCH_H
#define ADIT_HTTP_WATCH_H

#include "common/http/chunked.h"
#include "common/http/head.h"

/* Requests of a connection that may be unanswered at once. */
#define WATCH_PENDING 8

/* Bytes of a target that are kept. */
#define WATCH_TARGET 256

struct watch_exchange {
	int64_t began, ended; /* request's head, last byte of the response */
	uint64_t in, out;     /* bytes of the bodies, without chunks' lines */
	uint16_t status;      /* 0: none came */
	uint16_t target_len;  /* of the whole; WATCH_TARGET of it are kept */
	uint8_t method_len;
	bool cut; /* the response is not complete, `out` means nothing */
	char method[HTTP_METHOD_MAX];
	char target[WATCH_TARGET]; /* as the visitor sent it */
};

/* What comes next in one direction. */
enum watch_part {
	WATCH_HEAD,
	WATCH_LENGTH,  /* `left` bytes of a body, one at least */
	WATCH_CHUNKED, /* more of a chunked one */
	WATCH_CLOSE,   /* more of one that ends with the connection */
	WATCH_AWAIT,   /* a request's: what the answer makes of it */
};

struct watch_side {
	struct http_head head;
	struct chunked chunks;
	uint64_t left;     /* in AWAIT: 1 if bytes have come already */
	uint8_t *gathered; /* of a head that came in pieces; NULL: none yet */
	uint32_t gathered_size;
	uint8_t part; /* enum watch_part */
};

/* All of it is private but for reading `count` and `stopped`. */
struct watch {
	void (*done)(struct watch *w, const struct watch_exchange *e);
	struct watch_side request, response;
	struct watch_exchange pending[WATCH_PENDING]; /* from `first` on */
	int64_t touched;     /* when a body came that ends with its sender */
	const char *stopped; /* NULL: it follows; else static text, why not */
	uint8_t first, count;
};

/* What was made of the first bytes of a span. */
struct watch_step {
	uint64_t count; /* of bytes; 0: the watch has stopped */
	bool skip;      /* these need not be shown, in this span or later */
};

/* On a zeroed watch; `done` is told of each request from inside a call. */
void watch_init(struct watch *w,
	void (*done)(struct watch *w, const struct watch_exchange *e));

/*
 * Look at the next bytes of a direction, one at least; to be called again for
 * those beyond the count. The last byte of a response is never skipped.
 */
struct watch_step watch_request(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now);
struct watch_step watch_response(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now);

/* The connection is over: `clean` when nobody cut it. Frees what it has. */
void watch_end(struct watch *w, bool clean, int64_t now);

#endif
