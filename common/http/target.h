/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whom a request is for: the form of its target, its authority, and the target
 * to forward. Sources: RFC 9112, section 3.2; RFC 9110, section 7.2.
 */

#ifndef ADIT_HTTP_TARGET_H
#define ADIT_HTTP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/http/host.h"

struct http_head;

enum target_form {
	TARGET_ORIGIN,   /* a path, with or without a query */
	TARGET_ABSOLUTE, /* http://authority, then perhaps a path and query */
	TARGET_ASTERISK, /* `*`, of OPTIONS only: the server as a whole */
	TARGET_CONNECT,  /* an authority with a port, of CONNECT only */
};

/* The decision for one request; offsets as in struct http_head. */
struct http_target {
	enum target_form form;
	const char *error;        /* after a refusal: static text */
	uint16_t authority;       /* offset: as received, with its port */
	uint16_t authority_len;   /* 0 only for HTTP/1.0 without Host */
	uint16_t path;            /* offset of the target to forward */
	uint16_t path_len;        /* 0 if the other forms have no path */
	bool slash;               /* `/` goes before it: it has no path */
	bool asterisk;            /* `*` is forwarded, the server as a whole */
	char host[HTTP_HOST_MAX]; /* normalised; "" where there is none */
};

/*
 * Finds the authority of a complete head. The absolute form's authority wins
 * over Host, which has to be there and valid nevertheless. Returns 0, -400, or
 * -405 for a method that is not carried (TRACE). An HTTP/1.0 request
 * may have no Host: `host` is then empty and the result 0.
 */
must_check int target_authority(struct http_target *target,
	const struct http_head *head, const uint8_t *data);

#endif
