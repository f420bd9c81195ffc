/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The corpus at the parsers: each message as a whole, byte by byte, and split
 * at every byte gives the golden bytes and the verdict of its case.
 */
// links: common/http/head.c common/http/text.c common/http/host.c
// links: common/http/target.c common/http/framing.c common/http/chunked.c
// links: common/http/emit.c common/http/upgrade.c common/http/settle.c tests/unit/corpus.c

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/chunked.h"
#include "common/http/emit.h"
#include "common/http/framing.h"
#include "common/http/head.h"
#include "common/http/settle.h"
#include "common/http/target.h"
#include "common/http/upgrade.h"
#include "tests/unit/corpus.h"

/* Beyond this size a message is split at its ends, and now and then. */
#define SPLIT_ALL 4096
#define SPLIT_ENDS 100
#define SPLIT_STEP 1009

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

enum state {
	HEAD,
	BODY,
	CHUNKS,
	OVER
};

/* Who reads messages as they come in, and says what passes. */
struct reader {
	bool response, old, head_request;
	enum chunked_as as;
	enum state state;
	size_t at;    /* the current message's first byte, or the body's next */
	bool closes;  /* of the current message */
	bool surplus; /* a response's: bytes behind it */
	struct http_head head;
	struct http_framing framing;
	struct chunked chunks;
	uint64_t left;
	bool repaired;
	unsigned whole; /* messages that have come to their end */
	int refused;    /* the status; 0: not */
	FILE *out;
	struct corpus_bytes passed;
};

static void refuse(struct reader *r, int rc)
{
	r->refused = -rc;
	r->state = OVER;
}

/* The message is complete. */
static void end(struct reader *r)
{
	r->whole++;
	head_init(&r->head);
	r->state = r->response || r->closes ? OVER : HEAD;
}

static void begin_body(struct reader *r)
{
	r->left = r->framing.length;
	chunked_init(&r->chunks, r->as);
	if (r->framing.body == FRAMING_CHUNKED)
		r->state = CHUNKS;
	else if (framing_has_body(&r->framing))
		r->state = BODY;
	else
		end(r);
	if (r->framing.body == FRAMING_CLOSE)
		r->left = UINT64_MAX;
}

static ssize_t emit(struct reader *r, uint8_t *out, size_t size,
	const uint8_t *data, const struct http_target *target)
{
	if (r->response) {
		bool close = r->closes || r->framing.body == FRAMING_CLOSE ||
			     (r->old && r->framing.body == FRAMING_CHUNKED);
		struct emit_response_params p = { .head = &r->head,
			.data = data,
			.framing = &r->framing,
			.date = date,
			.old = r->old,
			.trailers = r->as == CHUNKED_WITH_TRAILERS,
			.close = close };

		return emit_response(out, size, &p);
	}
	char upgrade[UPGRADE_SIZE] = "";
	struct emit_params p = { .head = &r->head,
		.data = data,
		.target = target,
		.framing = &r->framing,
		.peer = "127.0.0.1",
		.upgrade = upgrade };

	if (r->framing.upgrade && !upgrade_list(&r->head, data, upgrade))
		upgrade[0] = '\0';
	return emit_request(out, size, &p);
}

static int decide(
	struct reader *r, const uint8_t *data, struct http_target *target)
{
	int rc;

	if (r->response)
		return framing_response(
			&r->framing, &r->head, data, r->head_request);
	rc = target_authority(target, &r->head, data);
	if (rc == 0)
		rc = framing_request(&r->framing, &r->head, data);
	r->closes = rc == 0 && r->framing.close;
	return rc;
}

static void take_head(struct reader *r, const uint8_t *data)
{
	static uint8_t out[4 * HTTP_RESPONSE_MAX];
	struct http_target target = { 0 };
	ssize_t n;
	int rc = decide(r, data, &target);

	if (rc < 0) {
		refuse(r, rc);
		return;
	}
	r->at += r->head.size;
	r->repaired |= r->framing.repaired;
	n = 0;
	if (!r->response || r->head.code >= 200 || !r->old)
		n = emit(r, out, sizeof(out), data, &target);
	if (n < 0) {
		refuse(r, (int)n);
		return;
	}
	fwrite(out, 1, (size_t)n, r->out);
	if (r->response && r->head.code == 101) {
		refuse(r, -502);
	} else if (r->response && r->head.code < 200) {
		if (++r->whole > 16)
			refuse(r, -502);
		head_init_response(&r->head);
	} else {
		begin_body(r);
	}
}

static void take_chunks(struct reader *r, const uint8_t *data, size_t size)
{
	struct chunked_step s = chunked_next(&r->chunks, data, size);

	if (r->chunks.state == CHUNKED_BAD) {
		refuse(r, -400);
		return;
	}
	if (s.data)
		fwrite(data, 1, s.count, r->out);
	fwrite(s.put, 1, s.put_size, r->out);
	r->at += s.count;
	if (r->chunks.state == CHUNKED_DONE)
		end(r);
}

/* All that there is so far; true: it may make more of it. */
static bool step(struct reader *r, const uint8_t *data, size_t size)
{
	const uint8_t *here = data + r->at;
	size_t n = size - r->at;
	int rc;

	switch (r->state) {
	case HEAD:
		rc = head_parse(&r->head, here, n);
		if (rc < 0)
			refuse(r, rc);
		else if (rc > 0)
			take_head(r, here);
		return rc > 0;
	case BODY:
		n = n < r->left ? n : (size_t)r->left;
		fwrite(here, 1, n, r->out);
		r->at += n;
		r->left -= n;
		if (r->left == 0)
			end(r);
		return r->left == 0;
	case CHUNKS:
		if (n > 0)
			take_chunks(r, here, n);
		return n > 0;
	case OVER:
		break;
	}
	return false;
}

static void feed(struct reader *r, const char *bytes, size_t size)
{
	/* Elsewhere each time, and not a byte further. */
	uint8_t *exact = malloc(size ? size : 1);

	if (size > 0)
		memcpy(exact, bytes, size);
	while (step(r, exact, size))
		;
	r->surplus = size > r->at;
	free(exact);
}

static void begin(struct reader *r, const struct corpus_case *c, bool response)
{
	const char *asked = c->asked.v ? c->asked.v : "";

	*r = (struct reader){ .response = response,
		.old = strstr(asked, " HTTP/1.0\r\n") != NULL,
		.head_request = !strncmp(asked, "HEAD ", 5) };
	if (response && r->old)
		r->as = CHUNKED_DATA_ONLY;
	else if (strstr(asked, "TE: trailers"))
		r->as = CHUNKED_WITH_TRAILERS;
	r->closes = r->old && !strstr(asked, "keep-alive");
	if (response)
		head_init_response(&r->head);
	else
		head_init(&r->head);
	r->out = open_memstream(&r->passed.v, &r->passed.size);
}

static void finish(struct reader *r)
{
	fclose(r->out);
	free(r->passed.v);
}

/* --- what must have come of it --- */

/* `have` is, or with `prefix` begins, what the case lets pass. */
static bool is_golden(
	const struct corpus_case *c, const struct reader *r, bool prefix)
{
	size_t at = 0;

	for (unsigned i = 0; i < c->passed_count; i++) {
		size_t n = c->passed[i].size, left = r->passed.size - at;

		if (prefix && i + 1 == c->passed_count && n > left)
			n = left;
		if (n > left ||
			memcmp(r->passed.v + at, c->passed[i].v, n) != 0)
			return false;
		at += n;
	}
	return at == r->passed.size;
}

/* The status of the refusal, behind so many of 200; 0: none. */
static int refusal(const char *verdict)
{
	const char *last = strrchr(verdict, ' ');
	int status = atoi(last ? last + 1 : verdict);

	/* That takes a clock. */
	return status == 200 || status == 408 ? 0 : status;
}

static void check_request(
	const struct corpus_case *c, struct reader *r, const char *how)
{
	unsigned whole = c->passed_count - c->cut;

	fflush(r->out);
	if (c->accepted) {
		cr_assert(r->refused == 0 && r->whole == 1, "%s: %s, %s",
			c->where, c->name, how);
		return;
	}
	cr_assert_eq(r->refused, refusal(c->verdict), "%s: %s, %s: %d",
		c->where, c->name, how, r->refused);
	cr_assert_eq(r->whole, whole, "%s: %s, %s", c->where, c->name, how);
	cr_assert(is_golden(c, r, c->cut), "%s: %s, %s:\n%.*s", c->where,
		c->name, how, (int)r->passed.size, r->passed.v);
}

/* What the verdict's word says of the service's connection. */
static void check_service(
	const struct corpus_case *c, const struct reader *r, const char *how)
{
	struct settle_facts f = { .response = RESPONSE_WHOLE,
		.request_whole = true,
		.service_closes = r->framing.close,
		.repaired = r->repaired,
		.surplus = r->surplus };
	bool stays = settle(&f).work == WORK_SHARED;

	cr_assert_eq(stays, !strcmp(c->verdict, "passed"), "%s: %s, %s",
		c->where, c->name, how);
	cr_assert_eq(r->surplus, !strcmp(c->verdict, "strike"), "%s: %s, %s",
		c->where, c->name, how);
}

static void check_response(
	const struct corpus_case *c, struct reader *r, const char *how)
{
	bool cut = !strcmp(c->verdict, "cut");
	bool until_close = r->state == BODY && r->left > UINT32_MAX;

	fflush(r->out);
	if (c->verdict[0] == '5') {
		/* 503, and what ends early, is for who sees the end. */
		cr_assert(r->refused == 502 || c->closes, "%s: %s, %s",
			c->where, c->name, how);
		return;
	}
	cr_assert(is_golden(c, r, cut), "%s: %s, %s:\n%.*s", c->where, c->name,
		how, (int)r->passed.size, r->passed.v);
	if (cut) {
		cr_assert(r->refused || (c->closes && r->state != OVER),
			"%s: %s, %s", c->where, c->name, how);
		return;
	}
	cr_assert(r->refused == 0 && (r->state == OVER || until_close),
		"%s: %s, %s", c->where, c->name, how);
	check_service(c, r, how);
}

static void check(
	const struct corpus_case *c, struct reader *r, const char *how)
{
	if (r->response)
		check_response(c, r, how);
	else
		check_request(c, r, how);
	finish(r);
}

static void play(const struct corpus_case *c, bool response)
{
	size_t n = c->sent.size;
	struct reader r;
	char how[32];

	begin(&r, c, response);
	feed(&r, c->sent.v, n);
	check(c, &r, "whole");
	begin(&r, c, response);
	for (size_t k = 1; k <= n && n <= SPLIT_ALL; k++)
		feed(&r, c->sent.v, k);
	feed(&r, c->sent.v, n);
	check(c, &r, "byte by byte");
	for (size_t k = 1; k < n; k++) {
		if (n > SPLIT_ALL && k > SPLIT_ENDS && k + SPLIT_ENDS < n &&
			k % SPLIT_STEP)
			continue;
		snprintf(how, sizeof(how), "split at %zu", k);
		begin(&r, c, response);
		feed(&r, c->sent.v, k);
		feed(&r, c->sent.v, n);
		check(c, &r, how);
	}
}

static void play_request(const struct corpus_case *c)
{
	play(c, false);
}

static void play_response(const struct corpus_case *c)
{
	play(c, true);
}

Test(corpus, requests)
{
	cr_assert_geq(corpus_each("requests", play_request), 300);
}

Test(corpus, responses)
{
	cr_assert_geq(corpus_each("responses", play_response), 100);
}
