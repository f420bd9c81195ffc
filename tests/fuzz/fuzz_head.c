/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Request heads: one piece or many give one result; what is forwarded is a
 * head again, that goes the same way and is framed the same.
 */

#include <string.h>

#include "common/http/emit.h"
#include "common/http/framing.h"
#include "common/http/head.h"
#include "common/http/target.h"
#include "common/http/upgrade.h"
#include "tests/fuzz/fuzz.h"

static int parse_in_pieces(
	struct http_head *h, const uint8_t *data, size_t size)
{
	uint32_t seed = 2463534242u;
	size_t at = 0;
	int rc = 0;

	head_init(h);
	for (size_t i = 0; i < size && i < 64; i++)
		seed = seed * 31 + data[i];
	while (rc == 0 && at < size) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		at += 1 + seed % 7;
		if (at > size)
			at = size;
		rc = head_parse(h, data, at);
	}
	return rc;
}

/* What decides about a request, from its head. */
struct decision {
	struct http_target target;
	struct http_framing framing;
};

static int decide(
	struct decision *d, const struct http_head *h, const uint8_t *data)
{
	int rc = target_authority(&d->target, h, data);

	return rc == 0 ? framing_request(&d->framing, h, data) : rc;
}

static void forward(const struct http_head *h, const uint8_t *data,
	const struct decision *d)
{
	static uint8_t out[3 * HTTP_HEAD_MAX + EMIT_EXTRA];
	char upgrade[UPGRADE_SIZE] = "", again_upgrade[UPGRADE_SIZE];
	struct emit_params p = { .head = h,
		.data = data,
		.target = &d->target,
		.framing = &d->framing,
		.peer = "192.0.2.1",
		.upgrade = upgrade };
	struct http_head again;
	struct decision e;
	ssize_t n;
	int rc;

	/* What is offered is offered again, and nothing else. */
	if (d->framing.upgrade && upgrade_list(h, data, upgrade))
		must(strlen(upgrade) < UPGRADE_SIZE);
	n = emit_request(out, sizeof(out), &p);

	if (n < 0)
		return;
	head_init(&again);
	rc = head_parse(&again, out, (size_t)n);
	/* Fields of ours may make it one too many, or too long. */
	if (rc == -431)
		return;
	must(rc == n);
	/* HTTP/1.0 needs no host; what it becomes, 1.1, does. */
	if (!d->target.host[0])
		return;
	must(decide(&e, &again, out) == 0);
	must(!strcmp(e.target.host, d->target.host));
	must(e.framing.body == d->framing.body);
	must(e.framing.length == d->framing.length);
	if (!*upgrade)
		return;
	must(e.framing.upgrade && upgrade_list(&again, out, again_upgrade));
	must(!strcmp(upgrade, again_upgrade));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head whole, pieces;
	struct decision d;
	int rc;

	head_init(&whole);
	rc = head_parse(&whole, data, size);
	must(rc <= (int)size && rc <= HTTP_HEAD_MAX);
	head_init(&pieces);
	must(head_parse_plain(&pieces, data, size) == rc);
	must(whole.size == pieces.size);
	must(parse_in_pieces(&pieces, data, size) == rc);
	if (rc <= 0)
		return 0;
	must(whole.size == (uint32_t)rc && whole.count == pieces.count);
	must(!memcmp(whole.fields, pieces.fields,
		whole.count * sizeof(whole.fields[0])));
	if (decide(&d, &whole, data) == 0)
		forward(&whole, data, &d);
	return 0;
}
