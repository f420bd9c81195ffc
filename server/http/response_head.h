/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the visitor gets of a response: its head, written anew by what is known
 * of the request, and in which form the body follows.
 */

#ifndef ADIT_SERVER_HTTP_RESPONSE_HEAD_H
#define ADIT_SERVER_HTTP_RESPONSE_HEAD_H

#include "common/http/chunked.h"
#include "common/http/emit.h"
#include "server/http/exchange.h"
#include "server/http/head_reader.h"

struct worker;

/*
 * The head for the visitor, in a chunk that is the caller's; NULL: no memory.
 * `set`: fields for final responses. `ends`: its connection ends with it.
 */
struct chunk *response_head(struct worker *w, const struct request_facts *q,
	const struct head_found *f, const struct http_framing *framing,
	const struct emit_set *set, bool ends) must_check;

/*
 * Up to `most` bytes of what has come behind the head go with it, as far as
 * there is room; how many.
 */
uint32_t response_join(struct chunk *head, struct chunk *rest, uint64_t most);

/* In which form a chunked body goes to the visitor. */
enum chunked_as response_body_as(const struct request_facts *q);

/* Whether it grants a CONNECT (RFC 9110, section 9.3.6). */
bool response_connects(
	const struct request_facts *q, const struct head_found *f);

#endif
