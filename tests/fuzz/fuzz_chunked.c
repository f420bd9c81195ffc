/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Chunked bodies: one piece or many give one result; what passes is chunked,
 * passes unchanged, and has the same data.
 */

#include <string.h>

#include "common/http/chunked.h"
#include "tests/fuzz/fuzz.h"

struct passed {
	uint8_t bytes[1 << 17];
	size_t size;
	long taken; /* -1: refused; 0: not complete */
};

static void put(struct passed *p, const uint8_t *bytes, size_t n)
{
	must(p->size + n <= sizeof(p->bytes));
	memcpy(p->bytes + p->size, bytes, n);
	p->size += n;
}

static void pass(struct passed *p, const uint8_t *in, size_t n,
	enum chunked_as as, size_t piece)
{
	struct chunked c;
	size_t at = 0;

	p->size = 0;
	p->taken = 0;
	chunked_init(&c, as);
	while (at < n && c.state != CHUNKED_DONE) {
		size_t left = piece - at % piece;
		struct chunked_step s = chunked_next(
			&c, in + at, left < n - at ? left : n - at);

		if (c.state == CHUNKED_BAD) {
			must(c.error);
			p->taken = -1;
			return;
		}
		must(s.count > 0 && s.count <= n - at);
		if (s.data)
			put(p, in + at, s.count);
		put(p, s.put, s.put_size);
		at += s.count;
	}
	if (c.state == CHUNKED_DONE)
		p->taken = (long)at;
}

static bool same(const struct passed *a, const struct passed *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* In pieces as a whole; and what has passed passes as it is. */
static bool check(struct passed *whole, const uint8_t *data, size_t size,
	enum chunked_as as)
{
	static struct passed pieces, twice;

	pass(whole, data, size, as, size + 1);
	pass(&pieces, data, size, as, 1 + (size > 0 ? data[0] % 7 : 0));
	must(whole->taken == pieces.taken);
	if (whole->taken <= 0)
		return false;
	must(same(whole, &pieces));
	if (as == CHUNKED_DATA_ONLY)
		return true;
	pass(&twice, whole->bytes, whole->size, as, whole->size + 1);
	must(twice.taken == (long)whole->size);
	must(same(whole, &twice));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct passed anew, trailers, bare, again;

	if (size > 1 << 14)
		return 0;
	if (!check(&anew, data, size, CHUNKED_ANEW)) {
		must(!check(&trailers, data, size, CHUNKED_WITH_TRAILERS));
		must(!check(&bare, data, size, CHUNKED_DATA_ONLY));
		return 0;
	}
	must(check(&trailers, data, size, CHUNKED_WITH_TRAILERS));
	must(check(&bare, data, size, CHUNKED_DATA_ONLY));
	/* The three are one body. */
	pass(&again, trailers.bytes, trailers.size, CHUNKED_ANEW, 3);
	must(same(&anew, &again));
	pass(&again, anew.bytes, anew.size, CHUNKED_DATA_ONLY, 5);
	must(same(&bare, &again));
	return 0;
}
