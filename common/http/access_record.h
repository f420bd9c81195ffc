/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the access log tells of one request: numbers, and the bytes that it
 * came with, as they came, cut where they are long. A record is one piece of
 * memory, so that it can be kept while the request is under way and be copied
 * as it is to whoever writes the line.
 */

#ifndef ADIT_HTTP_ACCESS_RECORD_H
#define ADIT_HTTP_ACCESS_RECORD_H

#include "common/base/address.h"
#include "common/base/reason.h"

struct http_head;

/* The texts, in the order in which they lie in the record. */
enum access_text {
	ACCESS_METHOD,
	ACCESS_TARGET,
	ACCESS_HOST, /* as received */
	ACCESS_REFERER,
	ACCESS_AGENT,
	ACCESS_PROXY, /* the name of who served it */
	ACCESS_TEXTS
};

/* Bytes that are kept of each. */
#define ACCESS_METHOD_MAX 32
#define ACCESS_TARGET_MAX 2048
#define ACCESS_HOST_MAX 256
#define ACCESS_REFERER_MAX 1024
#define ACCESS_AGENT_MAX 512
#define ACCESS_PROXY_MAX 256
#define ACCESS_TEXT_MAX                                            \
	(ACCESS_METHOD_MAX + ACCESS_TARGET_MAX + ACCESS_HOST_MAX + \
		ACCESS_REFERER_MAX + ACCESS_AGENT_MAX + ACCESS_PROXY_MAX)

/* Times are in nanoseconds. */
struct access_record {
	int64_t time;           /* of the first byte, since 1970 */
	int64_t first;          /* from then to the response; -1: none came */
	int64_t total;          /* from then to the end */
	uint64_t in, out;       /* bytes of the two bodies, or both ways */
	uint64_t id;            /* request_id.h */
	struct address visitor; /* where it came from */
	uint16_t status;        /* that the visitor got; 0: none */
	uint8_t minor;          /* of HTTP/1.x, where there is a method */
	uint8_t reason;         /* enum reason: how it ended */
	uint16_t size[ACCESS_TEXTS]; /* 0: not known, or empty */
	char text[];
};

#define ACCESS_RECORD_MAX (sizeof(struct access_record) + ACCESS_TEXT_MAX)

/*
 * A record of a complete head, or of one that could not be understood (`head`
 * NULL), with the proxy's name (NULL: not known); all numbers are 0. From
 * malloc; NULL without memory.
 */
struct access_record *access_record_new(const struct http_head *head,
	const uint8_t *data, const char *proxy) must_check;

/* Bytes of the whole record. */
uint32_t access_record_size(const struct access_record *r);

#endif
