/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/watch.h"

#include <stdlib.h>

#include "common/http/framing.h"

static struct watch_step lost(struct watch *w, const char *why)
{
	w->stopped = why;
	w->count = 0;
	return (struct watch_step){ 0 };
}

static struct watch_step seen(const struct watch *w, uint64_t count)
{
	return (struct watch_step){ .count = w->stopped ? 0 : count };
}

void watch_init(struct watch *w,
	void (*done)(struct watch *w, const struct watch_exchange *e))
{
	w->done = done;
	head_init(&w->request.head);
	head_init_response(&w->response.head);
}

/* --- the requests that are unanswered --- */

static struct watch_exchange *oldest(struct watch *w)
{
	return &w->pending[w->first];
}

static struct watch_exchange *newest(struct watch *w)
{
	return &w->pending[(w->first + w->count - 1) % WATCH_PENDING];
}

static bool is_method(const struct watch_exchange *e, const char *method)
{
	return strlen(method) == e->method_len &&
	       memcmp(e->method, method, e->method_len) == 0;
}

static void begin(struct watch *w, const uint8_t *data, int64_t now)
{
	const struct http_head *head = &w->request.head;
	struct http_text target = head_target(head, data);
	struct watch_exchange *e;

	w->count++;
	e = newest(w);
	e->began = now;
	e->in = e->out = 0;
	e->status = 0;
	e->cut = false;
	e->method_len = (uint8_t)head->method_len;
	memcpy(e->method, head_method(head, data).data, head->method_len);
	e->target_len = (uint16_t)target.len;
	memcpy(e->target, target.data,
		target.len < WATCH_TARGET ? target.len : WATCH_TARGET);
}

static void finish(struct watch *w, int64_t now)
{
	struct watch_exchange *e = oldest(w);

	e->ended = now;
	w->first = (w->first + 1) % WATCH_PENDING;
	w->count--;
	w->done(w, e);
}

/* Data of a body; an early answer may have ended the exchange of a request. */
static void add(struct watch *w, const struct watch_side *s, uint64_t n)
{
	if (s == &w->response)
		oldest(w)->out += n;
	else if (w->count > 0)
		newest(w)->in += n;
}

/* --- bodies --- */

static void message_over(struct watch *w, struct watch_side *s, int64_t now)
{
	s->part = WATCH_HEAD;
	if (s == &w->response)
		finish(w, now);
}

static void begin_body(struct watch *w, struct watch_side *s,
	const struct http_framing *f, int64_t now)
{
	switch (f->body) {
	case FRAMING_CHUNKED:
		chunked_init(&s->chunks, CHUNKED_DATA_ONLY);
		s->part = WATCH_CHUNKED;
		return;
	case FRAMING_CLOSE:
		w->touched = now;
		s->part = WATCH_CLOSE;
		return;
	case FRAMING_LENGTH:
	case FRAMING_NONE:
		break;
	}
	add(w, s, f->length);
	s->left = f->length;
	s->part = WATCH_LENGTH;
	if (s->left == 0)
		message_over(w, s, now);
}

/* All but the last byte, which tells that the others have passed. */
static struct watch_step take_length(
	struct watch *w, struct watch_side *s, int64_t now)
{
	uint64_t n = s->left - 1;

	if (n > 0) {
		s->left = 1;
		return (struct watch_step){ n, true };
	}
	message_over(w, s, now);
	return seen(w, 1);
}

static struct watch_step take_chunked(struct watch *w, struct watch_side *s,
	const uint8_t *bytes, size_t size, int64_t now)
{
	struct chunked *c = &s->chunks;
	struct chunked_step step;

	if (c->state == CHUNKED_DATA) {
		uint64_t n = c->left;

		add(w, s, n);
		chunked_skip(c, n);
		return (struct watch_step){ n, true };
	}
	step = chunked_next(c, bytes, size);
	if (c->state == CHUNKED_BAD)
		return lost(w, c->error);
	if (c->state == CHUNKED_DONE)
		message_over(w, s, now);
	return seen(w, step.count);
}

/* --- heads --- */

/* What follows such a request may be another protocol. */
static bool may_leave(const struct http_head *head, const uint8_t *data)
{
	return head_method_is(head, data, "CONNECT") ||
	       head_find(head, data, "Upgrade", 0) >= 0;
}

static void request_head(struct watch *w, const uint8_t *data, int64_t now)
{
	struct watch_side *s = &w->request;
	struct http_framing f;

	if (w->count == WATCH_PENDING) {
		lost(w, "too many requests are unanswered");
		return;
	}
	if (framing_request(&f, &s->head, data) < 0) {
		lost(w, f.error);
		return;
	}
	begin(w, data, now);
	begin_body(w, s, &f, now);
	if (s->part == WATCH_HEAD && may_leave(&s->head, data)) {
		s->part = WATCH_AWAIT;
		s->left = 0;
	}
	head_init(&s->head);
}

/* It was answered: another request comes next, if that is not there yet. */
static void stay(struct watch *w)
{
	struct watch_side *s = &w->request;

	if (s->part != WATCH_AWAIT)
		return;
	s->part = WATCH_HEAD;
	if (s->left > 0)
		lost(w, "bytes behind a request to leave HTTP");
}

static void response_head(struct watch *w, const uint8_t *data, int64_t now)
{
	struct watch_side *s = &w->response;
	struct watch_exchange *e = oldest(w);
	uint16_t code = s->head.code;
	struct http_framing f;

	if (w->count == 0) {
		lost(w, "a response without a request");
		return;
	}
	if (code == 101 || (is_method(e, "CONNECT") && code / 100 == 2)) {
		e->status = code;
		finish(w, now);
		lost(w, "another protocol follows");
		return;
	}
	if (framing_response(&f, &s->head, data, is_method(e, "HEAD")) < 0) {
		lost(w, f.error);
		return;
	}
	head_init_response(&s->head);
	if (code < 200)
		return; /* an interim one */
	e->status = code;
	stay(w);
	if (!w->stopped)
		begin_body(w, s, &f, now);
}

/* Keep the bytes of a head that is not there as a whole. */
static bool gather(struct watch_side *s, const uint8_t *bytes, size_t size)
{
	uint32_t max = s->head.response ? HTTP_RESPONSE_MAX : HTTP_HEAD_MAX;
	uint32_t room = max - s->gathered_size;
	uint32_t n = size < room ? (uint32_t)size : room;

	if (!s->gathered)
		s->gathered = malloc(max);
	if (!s->gathered || n == 0)
		return false;
	memcpy(s->gathered + s->gathered_size, bytes, n);
	s->gathered_size += n;
	return true;
}

static struct watch_step take_head(struct watch *w, struct watch_side *s,
	const uint8_t *bytes, size_t size, int64_t now)
{
	uint32_t before = s->gathered_size;
	const uint8_t *data = bytes;
	size_t n = size;
	int rc;

	if (before > 0) {
		if (!gather(s, bytes, size))
			return lost(w, "no room for the head");
		data = s->gathered;
		n = s->gathered_size;
	}
	rc = head_parse(&s->head, data, n);
	if (rc < 0)
		return lost(w, s->head.error);
	if (rc == 0) {
		if (before == 0 && !gather(s, bytes, size))
			return lost(w, "no room for the head");
		return seen(w, size);
	}
	s->gathered_size = 0;
	if (s == &w->request)
		request_head(w, data, now);
	else
		response_head(w, data, now);
	return seen(w, (uint32_t)rc - before);
}

/* --- one direction --- */

static struct watch_step step(struct watch *w, struct watch_side *s,
	const uint8_t *bytes, size_t size, int64_t now)
{
	if (w->stopped)
		return seen(w, 0);
	switch ((enum watch_part)s->part) {
	case WATCH_HEAD:
		return take_head(w, s, bytes, size, now);
	case WATCH_LENGTH:
		return take_length(w, s, now);
	case WATCH_CHUNKED:
		return take_chunked(w, s, bytes, size, now);
	case WATCH_CLOSE:
		add(w, s, size);
		w->touched = now;
		return seen(w, size);
	case WATCH_AWAIT:
		s->left = 1;
		return seen(w, size);
	}
	never_reached();
}

struct watch_step watch_request(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now)
{
	return step(w, &w->request, bytes, size, now);
}

struct watch_step watch_response(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now)
{
	return step(w, &w->response, bytes, size, now);
}

void watch_end(struct watch *w, bool clean, int64_t now)
{
	bool whole = clean && w->response.part == WATCH_CLOSE;

	if (w->count > 0 && whole)
		finish(w, w->touched);
	while (w->count > 0) {
		oldest(w)->cut = true;
		finish(w, now);
	}
	free(w->request.gathered);
	free(w->response.gathered);
	w->request.gathered = w->response.gathered = NULL;
}
