/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Targets and hosts: a byte that picks the method and the version, a target,
 * LF, the value of Host. What is accepted has a host in its normal form, and
 * asks for the same when it has been written anew.
 */

#include <stdio.h>
#include <string.h>

#include "common/http/emit.h"
#include "common/http/framing.h"
#include "common/http/head.h"
#include "common/http/path.h"
#include "common/http/target.h"
#include "tests/fuzz/fuzz.h"

/* What the input's first byte picks. */
static const struct start {
	const char *method;
	int minor;
} starts[] = { { "GET", 1 }, { "OPTIONS", 1 }, { "POST", 1 }, { "TRACE", 1 },
	{ "CONNECT", 1 }, { "GET", 0 }, { "OPTIONS", 0 }, { "CONNECT", 0 } };

/* A host in its normal form is one, and stays as it is. */
static void check_host(const char *host)
{
	char again[HTTP_HOST_MAX];

	must(strlen(host) < HTTP_HOST_MAX);
	must(host_parse(text_of(host), again));
	must(!strcmp(host, again));
	must(host_normalise(host, false, again));
	must(!strcmp(host, again));
	for (; *host; host++)
		must(text_lower((uint8_t)*host) == (uint8_t)*host);
}

static void check_value(struct http_text value)
{
	char host[HTTP_HOST_MAX];

	if (host_parse(value, host))
		check_host(host);
	else
		must(!host[0]);
}

/* Every offset lies in the head; a path begins with a slash. */
static void check_target(const struct http_target *t,
	const struct http_head *head, const uint8_t *data)
{
	uint8_t first = t->path_len > 0 ? data[t->path] : 0;

	must(t->authority + t->authority_len <= head->size);
	must(t->path + t->path_len <= head->size);
	if (t->form == TARGET_ASTERISK)
		must(t->asterisk && t->path_len == 0);
	else if (t->form == TARGET_CONNECT)
		must(!t->asterisk && !t->slash && t->path_len == 0);
	else
		must(t->asterisk + t->slash + (first == '/') == 1);
	if (t->asterisk)
		must(head_method_is(head, data, "OPTIONS"));
	if (t->host[0])
		check_host(t->host);
	else
		must(head->minor == 0 && t->authority_len == 0);
}

/* The service reads the same host, and the target in origin form. */
static void check_again(const struct http_target *t,
	const struct http_head *head, const uint8_t *data)
{
	static uint8_t out[3 * HTTP_HEAD_MAX + EMIT_EXTRA];
	struct http_framing framing;
	struct http_head head_again;
	struct http_target again;
	struct emit_params p = { .head = head,
		.data = data,
		.target = t,
		.framing = &framing,
		.peer = "192.0.2.1",
		.host = "none.test" };
	ssize_t n;
	int rc;

	must(framing_request(&framing, head, data) == 0);
	n = emit_request(out, sizeof(out), &p);
	must(n > 0);
	head_init(&head_again);
	rc = head_parse(&head_again, out, (size_t)n);
	/* Percent-encoding may have made it too long. */
	if (rc == -414 || rc == -431)
		return;
	must(rc == n && head_again.minor == 1);
	must(target_authority(&again, &head_again, out) == 0);
	must(!strcmp(again.host, t->host[0] ? t->host : "none.test"));
	must(again.asterisk == t->asterisk);
	if (t->form == TARGET_CONNECT)
		must(again.form == TARGET_CONNECT);
	else
		must(again.form ==
			(t->asterisk ? TARGET_ASTERISK : TARGET_ORIGIN));
	for (unsigned i = 0; i < head_again.target_len; i++)
		must(out[head_again.target + i] < 0x80);
}

/* No segment of the second reading is empty, or of dots, or has parameters. */
static void check_cleaned(struct http_text path)
{
	size_t from = 1;

	must(path.len > 0 && path.data[0] == '/');
	for (size_t i = 1; i <= path.len; i++) {
		size_t n = i - from;

		if (i < path.len && path.data[i] != '/') {
			must(path.data[i] != ';');
			continue;
		}
		must(i == path.len || n > 0);
		must(n != 1 || path.data[from] != '.');
		must(n != 2 || memcmp(path.data + from, "..", 2) != 0);
		from = i + 1;
	}
}

static void check_path(const struct http_target *t, const uint8_t *data)
{
	static uint8_t a[HTTP_HEAD_MAX], b[HTTP_HEAD_MAX];
	struct http_text decoded, cleaned;

	if (t->path_len == 0 || data[t->path] != '/' ||
		path_read((struct http_text){ data + t->path, t->path_len }, a,
			b, &decoded, &cleaned) < 0)
		return;
	must(decoded.len <= t->path_len && cleaned.len <= t->path_len);
	must(decoded.len > 0 && decoded.data[0] == '/');
	check_cleaned(cleaned);
}

/* The head that the input stands for; its size. */
static size_t build(uint8_t *out, const uint8_t *in, size_t size)
{
	const uint8_t *lf = memchr(in + 1, '\n', size - 1);
	size_t target = lf ? (size_t)(lf - in) - 1 : size - 1;
	const struct start *s = &starts[in[0] % ARRAY_SIZE(starts)];
	size_t n = (size_t)sprintf((char *)out, "%s ", s->method);

	memcpy(out + n, in + 1, target);
	n += target;
	n += (size_t)sprintf((char *)out + n, " HTTP/1.%d\r\n", s->minor);
	if (lf) {
		size_t value = size - target - 2;

		n += (size_t)sprintf((char *)out + n, "Host: ");
		memcpy(out + n, lf + 1, value);
		check_value((struct http_text){ lf + 1, value });
		n += value;
		n += (size_t)sprintf((char *)out + n, "\r\n");
	}
	n += (size_t)sprintf((char *)out + n, "\r\n");
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[HTTP_HEAD_MAX];
	struct http_target target;
	struct http_head head;
	size_t n;
	int rc;

	if (size < 2 || size > HTTP_HEAD_MAX - 100)
		return 0;
	n = build(bytes, data, size);
	head_init(&head);
	if (head_parse(&head, bytes, n) != (int)n)
		return 0;
	rc = target_authority(&target, &head, bytes);
	if (rc == 0) {
		check_target(&target, &head, bytes);
		check_again(&target, &head, bytes);
		check_path(&target, bytes);
	} else {
		must(rc == -400 || rc == -405);
		must(target.error && !target.host[0]);
	}
	return 0;
}
