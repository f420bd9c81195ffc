/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/http_answer.h"

#include <string.h>
#include <time.h>

#include "common/http/answer.h"
#include "common/http/request_id.h"
#include "server/http/exchange.h"
#include "server/worker.h"

static void count_answer(struct counters *c, int status)
{
	switch (status) {
	case 200:
		break;
	case 400:
		count(c, http_400);
		break;
	case 401:
	case 407:
		count(c, http_401);
		break;
	case 404:
		count(c, http_404);
		break;
	case 408:
		count(c, http_408);
		break;
	case 414:
	case 431:
		count(c, http_431);
		break;
	case 502:
		count(c, http_502);
		break;
	case 503:
		count(c, http_503);
		break;
	default:
		count(c, http_other);
		break;
	}
}

/* Frp has 404 for whatever fails, and nothing to say when time is up. */
static void follow_frp(struct answer *a)
{
	if (a->status == 504) {
		a->body = "";
		a->body_len = 0;
	} else if (a->status == 502 || a->status == 503) {
		a->status = 404;
	}
}

/* Whether custom404Page is for this status, too. */
static bool has_page(int status)
{
	return status == 404 || (status >= 502 && status <= 504);
}

struct chunk *http_answer_make(struct worker *w, struct http_answer *answer)
{
	const struct request_facts *q = answer->request;
	char id[REQUEST_ID_SIZE];
	struct answer a = { .status = answer->status,
		.date = http_date(&w->date, time(NULL)),
		.id = id,
		.html = q->html,
		.head = q->head,
		.old = q->old };
	struct answer_size size;
	struct chunk *c;

	count_answer(&w->core.counters, a.status);
	request_id_text(answer->id, id);
	answer->keep = a.keep = answer->keep && !worker_ends(w);
	if (has_page(a.status) && w->page) {
		a.body = w->page->text;
		a.body_len = w->page->size;
	}
	if (w->settings->vhost_http_error_status == 404)
		follow_frp(&a);
	c = chunk_from_heap(ANSWER_SIZE_MAX + (uint32_t)a.body_len);
	if (!c)
		return NULL;
	size = answer_build(c->data, c->size, &a);
	c->to = (uint32_t)size.all;
	answer->said = a.status;
	answer->body = size.body;
	return c;
}

bool http_answer_is_h2(const struct chunk *c)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n";

	return chunk_length(c) >= sizeof(preface) - 1 &&
	       !memcmp(chunk_bytes(c), preface, sizeof(preface) - 1);
}

void http_answer_h2(struct worker *w, struct stream *s)
{
	/* RFC 9113, sections 6.5 and 6.8; HTTP_1_1_REQUIRED is 0xd. */
	static const uint8_t settings_and_goaway[] = { 0, 0, 0, 4, 0, 0, 0, 0,
		0, /* the end of SETTINGS */ 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0xd };
	struct chunk_queue words = { 0 };
	struct chunk *c =
		chunk_copy(settings_and_goaway, sizeof(settings_and_goaway));

	count(&w->core.counters, http_other);
	if (c)
		chunk_queue_push(&words, c);
	farewell_begin(&w->farewells, s, &words);
}
