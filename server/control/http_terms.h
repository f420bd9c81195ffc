/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The terms of an http proxy: what NewProxy says of its visitors' login, of the
 * Host that its service sees, of what is routed to it, and of fields to be set
 * (claim.h).
 */

#ifndef ADIT_SERVER_CONTROL_HTTP_TERMS_H
#define ADIT_SERVER_CONTROL_HTTP_TERMS_H

#include "common/wire/message.h"
#include "server/registry/claim.h"

struct http_terms {
	struct claim_texts texts; /* owned */
	uint32_t locations;       /* how many of them */
	uint32_t set;             /* pairs for requests */
};

/*
 * Check and take them. 0; or -1 with the error, which goes to the client. As
 * in frp, fields that frame or route (Host, Content-Length, Transfer-Encoding,
 * Trailer, Connection) are passed over.
 */
int http_terms_read(struct http_terms *t, const struct message_new_proxy *m,
	char *error) must_check;
void http_terms_clear(struct http_terms *t);

#endif
