/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/response_head.h"

#include <string.h>
#include <time.h>

#include "server/worker.h"

bool response_connects(
	const struct request_facts *q, const struct head_found *f)
{
	return q->connect && f->head->code >= 200 && f->head->code < 300;
}

enum chunked_as response_body_as(const struct request_facts *q)
{
	if (q->old)
		return CHUNKED_DATA_ONLY;
	return q->framing.trailers ? CHUNKED_WITH_TRAILERS : CHUNKED_ANEW;
}

uint32_t response_join(struct chunk *head, struct chunk *rest, uint64_t most)
{
	uint32_t n = chunk_length(rest), room = head->size - head->to;

	n = n < most ? n : (uint32_t)most;
	n = n < room ? n : room;
	memcpy(head->data + head->to, chunk_bytes(rest), n);
	head->to += n;
	rest->from += (int32_t)n;
	return n;
}

struct chunk *response_head(struct worker *w, const struct request_facts *q,
	const struct head_found *f, const struct http_framing *framing,
	const struct emit_set *set, bool ends)
{
	uint32_t size =
		f->head->size + EMIT_EXTRA + (uint32_t)emit_set_size(set);
	struct emit_response_params p = { .head = f->head,
		.data = f->data,
		.framing = framing,
		.date = http_date(&w->date, time(NULL)),
		.set = f->head->code >= 200 ? set : NULL,
		.old = q->old,
		.trailers = q->framing.trailers,
		.via = w->settings->http_via,
		.connect = response_connects(q, f),
		.close = ends };
	struct chunk *c = size <= WORKER_CHUNK_SIZE - CHUNK_HEADROOM
				  ? chunk_take(worker_loop(w)->chunks)
				  : chunk_from_heap(size);
	ssize_t n;

	if (!c)
		return NULL;
	n = emit_response(c->data, c->size, &p);
	if (n < 0) {
		chunk_give(c);
		return NULL;
	}
	c->to = (uint32_t)n;
	return c;
}
