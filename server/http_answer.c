/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http_answer.h"

#include <string.h>
#include <time.h>

#include "common/http/answer.h"
#include "server/exchange.h"
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

void http_answer(struct worker *w, struct stream *s, int status,
	const struct request_facts *request)
{
	struct answer a = { .status = status };
	struct chunk_queue words = { 0 };
	struct chunk *c;

	count_answer(&w->core.counters, status);
	if (status == 404 && w->server->page_404) {
		a.body = w->server->page_404;
		a.body_len = w->server->page_404_size;
	}
	a.date = http_date(&w->date, time(NULL));
	a.head = request->head;
	c = chunk_from_heap(ANSWER_SIZE_MAX + (uint32_t)a.body_len);
	if (c) {
		c->to = (uint32_t)answer_build(c->data, c->size, &a);
		chunk_queue_push(&words, c);
	}
	farewell_begin(&w->farewells, s, &words);
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
