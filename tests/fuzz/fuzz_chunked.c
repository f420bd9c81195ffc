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

static void pass(struct passed *p, const uint8_t *in, size_t n, bool data_only,
	size_t piece)
{
	struct chunked c;
	size_t at = 0;

	p->size = 0;
	p->taken = 0;
	chunked_init(&c, data_only);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct passed whole, pieces, twice, bare, bare_twice;

	if (size > 1 << 14)
		return 0;
	pass(&whole, data, size, false, size + 1);
	pass(&pieces, data, size, false, 1 + (size > 0 ? data[0] % 7 : 0));
	must(whole.taken == pieces.taken);
	if (whole.taken <= 0)
		return 0;
	must(whole.size == pieces.size);
	must(!memcmp(whole.bytes, pieces.bytes, whole.size));
	pass(&twice, whole.bytes, whole.size, false, whole.size + 1);
	must(twice.taken == (long)whole.size && twice.size == whole.size);
	must(!memcmp(twice.bytes, whole.bytes, whole.size));
	pass(&bare, data, size, true, 3);
	pass(&bare_twice, whole.bytes, whole.size, true, 5);
	must(bare.size == bare_twice.size);
	must(!memcmp(bare.bytes, bare_twice.bytes, bare.size));
	return 0;
}
