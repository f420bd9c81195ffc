/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Response heads: one piece or many, fast or plain, give one result; what the
 * visitor gets is a faultless head, framed the same.
 */

#include <string.h>

#include "common/http/emit.h"
#include "common/http/framing.h"
#include "common/http/head.h"
#include "tests/fuzz/fuzz.h"

static void forward(const struct http_head *h, const uint8_t *data,
	const struct http_framing *f, bool head_request)
{
	static uint8_t out[HTTP_RESPONSE_MAX + EMIT_EXTRA];
	struct emit_response_params p = { .head = h,
		.data = data,
		.framing = f,
		.date = "Sun, 06 Nov 1994 08:49:37 GMT",
		.close = f->body == FRAMING_CLOSE };
	ssize_t n = emit_response(out, sizeof(out), &p);
	struct http_framing g;
	struct http_head again;
	int rc;

	must(n > 0);
	head_init_response(&again);
	rc = head_parse(&again, out, (size_t)n);
	/* Fields of ours may make it one too many, or too long. */
	if (rc == -502 && (h->count > HTTP_RESPONSE_FIELDS_MAX - 3 ||
				  n > HTTP_RESPONSE_MAX))
		return;
	must(rc == n);
	must(!again.repaired && again.code == h->code);
	must(framing_response(&g, &again, out, head_request) == 0);
	must(g.body == f->body && g.length == f->length);
	must(!g.repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head whole, plain, pieces;
	struct http_framing f;
	int rc, again = 0;

	head_init_response(&whole);
	rc = head_parse(&whole, data, size);
	must(rc <= (int)size && rc <= HTTP_RESPONSE_MAX);
	head_init_response(&plain);
	must(head_parse_plain(&plain, data, size) == rc);
	head_init_response(&pieces);
	for (size_t at = 1; at <= size && again == 0; at += 1 + at % 7)
		again = head_parse(&pieces, data, at);
	if (again == 0)
		again = head_parse(&pieces, data, size);
	must(again == rc);
	if (rc <= 0)
		return 0;
	must(whole.count == plain.count && whole.count == pieces.count);
	must(!memcmp(whole.fields, plain.fields,
		whole.count * sizeof(whole.fields[0])));
	must(whole.repaired == plain.repaired);
	for (int head = 0; head <= 1; head++)
		if (framing_response(&f, &whole, data, head) == 0)
			forward(&whole, data, &f, head);
	return 0;
}
