/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Framing: the field lines of a message, behind a request line or a status
 * line. A plain count of the fields, made here, must agree with what is
 * accepted, and the order of the fields must not matter.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/http/framing.h"
#include "common/http/head.h"
#include "tests/fuzz/fuzz.h"

/* First lines, of which the input's first byte picks one. */
static const struct start {
	const char *line;
	bool response, head;
} starts[] = {
	{ "POST / HTTP/1.1\r\n", false, false },
	{ "GET / HTTP/1.0\r\n", false, false },
	{ "HTTP/1.1 200 OK\r\n", true, false },
	{ "HTTP/1.0 200 OK\r\n", true, false },
	{ "HTTP/1.1 200 OK\r\n", true, true },
	{ "HTTP/1.1 101 Switching\r\n", true, false },
	{ "HTTP/1.1 204 None\r\n", true, false },
	{ "HTTP/1.1 304 None\r\n", true, false },
};

static int decide(struct http_framing *f, const struct start *s,
	const struct http_head *head, const uint8_t *data)
{
	return s->response ? framing_response(f, head, data, s->head)
			   : framing_request(f, head, data);
}

static unsigned count(
	const struct http_head *head, const uint8_t *data, const char *name)
{
	unsigned n = 0;

	for (int i = head_find(head, data, name, 0); i >= 0;
		i = head_find(head, data, name, (unsigned)i + 1))
		n++;
	return n;
}

/* A length is read as it is written. */
static void check_length(const struct http_framing *f,
	const struct http_head *head, const uint8_t *data)
{
	int i = head_find(head, data, "Content-Length", 0);
	char digits[24];

	must(i >= 0 && f->length <= INT64_MAX);
	snprintf(digits, sizeof(digits), "%" PRIu64, f->length);
	must(text_equal(head_value(head, data, (unsigned)i), digits));
}

static void check_request(const struct http_framing *f,
	const struct http_head *head, const uint8_t *data)
{
	unsigned lengths = count(head, data, "Content-Length");
	unsigned codings = count(head, data, "Transfer-Encoding");

	must(lengths + codings <= 1 && f->body != FRAMING_CLOSE);
	must(count(head, data, "Content_Length") == 0);
	must(count(head, data, "Transfer_Encoding") == 0);
	must((f->body == FRAMING_LENGTH) == (lengths == 1));
	must((f->body == FRAMING_CHUNKED) == (codings == 1));
	if (lengths)
		check_length(f, head, data);
	if (codings)
		must(head->minor == 1);
	if (f->upgrade)
		must(head->minor == 1 && !framing_has_body(f));
	if (f->expect)
		must(head->minor == 1 && framing_has_body(f));
	must(!f->repaired);
}

static void check_response(const struct http_framing *f, const struct start *s,
	const struct http_head *head, const uint8_t *data)
{
	unsigned lengths = count(head, data, "Content-Length");

	if (s->head || head->code < 200 || head->code == 204 ||
		head->code == 304) {
		must(f->body == FRAMING_NONE && f->length == 0);
		return;
	}
	must(f->body != FRAMING_NONE);
	must((f->body == FRAMING_LENGTH) == (lengths > 0));
	if (lengths > 0)
		check_length(f, head, data);
	if (lengths > 1)
		must(f->repaired);
	if (f->body == FRAMING_CLOSE)
		must(f->close);
}

/* The fields the other way round. */
static void turn(struct http_head *head)
{
	for (unsigned i = 0, k = head->count; i + 1 < k; i++, k--) {
		struct http_field f = head->fields[i];

		head->fields[i] = head->fields[k - 1];
		head->fields[k - 1] = f;
	}
}

static void check_turned(const struct http_framing *f, int rc,
	const struct start *s, struct http_head *head, const uint8_t *data)
{
	struct http_framing g;

	turn(head);
	must(decide(&g, s, head, data) == rc);
	if (rc < 0)
		return;
	must(f->body == g.body && f->length == g.length);
	must(f->expect == g.expect && f->upgrade == g.upgrade);
	must(f->close == g.close && f->pinned == g.pinned);
	must(f->repaired == g.repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[HTTP_HEAD_MAX];
	const struct start *s;
	struct http_framing f;
	struct http_head head;
	size_t n;
	int rc;

	if (size < 1 || size > HTTP_HEAD_MAX - 100)
		return 0;
	s = &starts[data[0] % ARRAY_SIZE(starts)];
	n = (size_t)sprintf((char *)bytes, "%s", s->line);
	memcpy(bytes + n, data + 1, size - 1);
	n += size - 1;
	n += (size_t)sprintf((char *)bytes + n, "\r\n");
	if (s->response)
		head_init_response(&head);
	else
		head_init(&head);
	if (head_parse(&head, bytes, n) <= 0)
		return 0;
	rc = decide(&f, s, &head, bytes);
	if (rc < 0)
		must(f.error);
	else if (s->response)
		check_response(&f, s, &head, bytes);
	else
		check_request(&f, &head, bytes);
	check_turned(&f, rc, s, &head, bytes);
	return 0;
}
