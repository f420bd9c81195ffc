/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http_visitor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/http/answer.h"
#include "common/http/emit.h"
#include "common/http/framing.h"
#include "common/http/head.h"
#include "common/http/target.h"
#include "server/listener.h"
#include "server/visitor.h"
#include "server/worker.h"

/* The start of a response that switches protocols (RFC 9110 15.2.2). */
static const char switching[] = "HTTP/1.1 101";

/* What is known of a request, from its first byte to the visitor's end. */
struct http_visit {
	struct visitor *visitor;
	struct http_head head;
	struct http_target target;
	struct http_framing framing;
	struct inspector inspector; /* of the response, for an upgrade */
	uint8_t *gathered; /* the head's bytes, while it is incomplete */
	uint32_t gathered_size;
	uint32_t seen;           /* bytes of `switching` that matched */
	bool head_request;       /* HEAD: an answer has no body */
	struct chunk *forwarded; /* the head that the service gets */
};

static void http_read(struct visitor *v);

struct http_visit *http_visit_take(struct visitor *v)
{
	struct http_visit *h = v->http;

	v->http = NULL;
	return h;
}

void http_visit_give(struct http_visit *h, struct visitor *v)
{
	v->http = h;
	if (h)
		h->visitor = v;
}

void http_visit_free(struct http_visit **hp)
{
	struct http_visit *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	chunk_give(h->forwarded);
	free(h->gathered);
	free(h);
}

static void count_answer(struct counters *c, int status)
{
	switch (status) {
	case 400:
		count(c, http_400);
		break;
	case 404:
		count(c, http_404);
		break;
	case 408:
		count(c, http_408);
		break;
	case 411:
		count(c, http_411);
		break;
	case 414:
	case 431:
		count(c, http_431);
		break;
	case 503:
		count(c, http_503);
		break;
	default:
		count(c, http_other);
		break;
	}
}

void http_visitor_answer(struct visitor *v, int status)
{
	struct worker *w = v->worker;
	struct answer a = { .status = status };
	struct chunk_queue words = { 0 };
	struct chunk *c;

	count_answer(&w->core.counters, status);
	if (status == 404 && w->server->page_404) {
		a.body = w->server->page_404;
		a.body_len = w->server->page_404_size;
	}
	/* Only a head that was understood says HEAD. */
	a.head = v->http->head.state == HEAD_DONE && v->http->head_request;
	c = chunk_from_heap(ANSWER_SIZE_MAX + (uint32_t)a.body_len);
	if (c) {
		c->to = (uint32_t)answer_build(c->data, c->size, &a);
		chunk_queue_push(&words, c);
	}
	farewell_begin(&w->farewells, v->stream, &words);
	v->stream = NULL;
}

/* Answer and be done with the visitor. */
static void http_refuse(struct visitor *v, int status)
{
	http_visitor_answer(v, status);
	visitor_close(v, REASON_answered);
}

static void http_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	/* One that never said a word gets none either. */
	if (v->http->head.size == 0) {
		count(&v->worker->core.counters, http_408);
		visitor_close(v, REASON_timeout);
	} else {
		http_refuse(v, 408);
	}
}

/* The head as the service gets it. 0 or the status to answer with. */
static int forward(struct visitor *v, const uint8_t *data)
{
	struct http_visit *h = v->http;
	char peer[ADDRESS_TEXT_SIZE];
	struct emit_params params = {
		.head = &h->head,
		.data = data,
		.target = &h->target,
		.framing = &h->framing,
		.peer = peer,
	};
	uint32_t size = h->head.size + 2 * h->head.target_len + EMIT_EXTRA;
	ssize_t n;

	address_ip(&v->peer, peer);
	h->forwarded = chunk_from_heap(size);
	if (!h->forwarded)
		return 503;
	n = emit_request(h->forwarded->data, size, &params);
	if (n < 0)
		return n == -EMSGSIZE ? 431 : (int)-n;
	h->forwarded->to = (uint32_t)n;
	return 0;
}

/* One decision from one parse: whose the request is, or what to answer. */
static int decide(struct visitor *v, const uint8_t *data, struct route **r_r)
{
	struct http_visit *h = v->http;
	int rc = target_authority(&h->target, &h->head, data);

	h->head_request = head_method_is(&h->head, data, "HEAD");
	if (rc == 0)
		rc = framing_request(&h->framing, &h->head, data);
	if (rc < 0)
		return -rc;
	*r_r = directory_route(&v->worker->directory, h->target.host);
	if (!*r_r)
		return 404;
	if (h->framing.body == FRAMING_CHUNKED)
		return 411;
	return forward(v, data);
}

/* The head is complete at `data`. */
static void http_head_done(struct visitor *v, const uint8_t *data)
{
	struct route *r = NULL;
	int status = decide(v, data, &r);

	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	if (status) {
		http_refuse(v, status);
		return;
	}
	count(&v->worker->core.counters, http_requests);
	visitor_route(v, r);
}

/* Keep the bytes of an incomplete head; false without memory. */
static bool gather(struct http_visit *h, const struct chunk *c)
{
	uint32_t n = chunk_length(c);
	uint8_t *grown = realloc(h->gathered, h->gathered_size + n);

	if (!grown)
		return false;
	memcpy(grown + h->gathered_size, chunk_bytes(c), n);
	h->gathered = grown;
	h->gathered_size += n;
	return true;
}

/*
 * New bytes. Those behind the head go back to the stream before the visitor
 * is routed: they are its body, or nobody's.
 */
static void http_bytes(struct visitor *v, struct chunk *c)
{
	struct http_visit *h = v->http;
	uint32_t before = h->gathered_size, used;
	const uint8_t *data = chunk_bytes(c);
	uint32_t size = chunk_length(c);
	int rc;

	if (h->gathered || size < 4) {
		if (!gather(h, c)) {
			chunk_give(c);
			visitor_close(v, REASON_no_memory);
			return;
		}
		data = h->gathered;
		size = h->gathered_size;
	}
	rc = head_parse(&h->head, data, size);
	if (rc == 0) {
		if (data != h->gathered && !gather(h, c))
			rc = -503;
		chunk_give(c);
		if (rc == 0)
			http_read(v);
		else
			http_refuse(v, 503);
		return;
	}
	if (rc < 0) {
		chunk_give(c);
		http_refuse(v, -rc);
		return;
	}
	used = (uint32_t)rc - before;
	/* The head's bytes must outlive the chunk's return to the stream. */
	if (used < chunk_length(c)) {
		struct chunk *rest = chunk_from_heap(chunk_length(c) - used);

		if (!rest) {
			chunk_give(c);
			visitor_close(v, REASON_no_memory);
			return;
		}
		memcpy(rest->data, chunk_bytes(c) + used, rest->size);
		rest->to = rest->size;
		stream_unread(v->stream, rest);
	}
	http_head_done(v, data);
	chunk_give(c);
}

static void http_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0) {
		http_bytes(v, c);
		return;
	}
	if (v->http->head.size > 0 || result < 0)
		count(&v->worker->core.counters, visitors_gone);
	visitor_close(
		v, result == 0 ? REASON_peer_closed : REASON_visitor_gone);
}

static void http_read(struct visitor *v)
{
	v->reader.received = http_received;
	stream_read(v->stream, &v->reader);
}

void http_visitor_accept(struct listener *l, int fd)
{
	struct visitor *v = visitor_new(l->worker, l, fd);

	if (!v)
		return;
	v->http = calloc(1, sizeof(*v->http));
	if (!v->http) {
		visitor_close(v, REASON_no_memory);
		return;
	}
	http_visit_give(v->http, v);
	head_init(&v->http->head);
	loop_set_timer(worker_loop(l->worker), &v->timer,
		l->worker->settings->head_timeout_ms * CLOCK_MS, http_late);
	http_read(v);
}

/* Compare the response's start with 101; what follows passes unseen. */
static struct inspection watch_switch(
	struct inspector *i, const uint8_t *bytes, uint32_t size)
{
	struct http_visit *h = container_of(i, struct http_visit, inspector);
	uint32_t want = sizeof(switching) - 1 - h->seen;
	uint32_t n = size < want ? size : want;
	bool same = !memcmp(bytes, switching + h->seen, n);

	h->seen += n;
	if (same && n < want)
		return (struct inspection){ INSPECT_PASS, n };
	relay_release(&h->visitor->relay, same);
	return (struct inspection){ INSPECT_RUN, UINT64_MAX };
}

static void answer_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	if (v->relay.back.bytes == 0)
		visitor_close(v, REASON_answer_timeout);
}

/* The request is with the service: from now on its answer is awaited. */
static void request_sent(struct relay *r)
{
	struct visitor *v = container_of(r, struct visitor, relay);

	if (r->back.bytes == 0)
		loop_set_timer(worker_loop(v->worker), &v->timer,
			v->worker->settings->vhost_http_timeout_ms * CLOCK_MS,
			answer_late);
}

void http_visitor_prepare(struct visitor *v, struct relay_params *params)
{
	struct http_visit *h = v->http;

	params->answer_due = true;
	params->sent = request_sent;
	params->limit = h->framing.length;
	if (h->framing.upgrade) {
		/* No byte of the visitor's passes before the service agrees. */
		h->inspector.step = watch_switch;
		params->inspector = &h->inspector;
		params->hold_out = true;
	}
	relay_init(&v->relay, params);
	pump_push(&v->relay.out, h->forwarded);
	h->forwarded = NULL;
}
