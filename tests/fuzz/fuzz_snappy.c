/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Snappy's framing format: one piece or many open to the same; and what is
 * sealed opens to what it was. The first byte says how large the pieces are.
 */

#include <errno.h>
#include <string.h>

#include "common/wire/snappy.h"
#include "tests/fuzz/fuzz.h"

#define OUT (4 << 20)

static uint8_t whole[OUT], parts[OUT], wire[1 << 18];

/* How many bytes; *failed: the transform refused after them. */
static size_t open_all(struct transform *t, const uint8_t *bytes, size_t size,
	size_t piece, uint8_t *out, size_t room, bool *failed)
{
	size_t at = 0, got = 0;
	bool more = false;

	*failed = false;
	while (at < size || more) {
		size_t n = piece < size - at ? piece : size - at, k = n;
		uint8_t *in = malloc(n + 1);
		ssize_t rc;

		must(in && got + room <= OUT);
		memcpy(in, bytes + at, n);
		rc = t->ops->open(t, in, &k, out + got, room);
		free(in);
		if (rc < 0) {
			must(rc == -EPROTO && t->trouble);
			*failed = true;
			return got;
		}
		must((size_t)rc <= room && k <= n);
		more = (size_t)rc == room;
		must(more || k == n);
		at += k;
		got += (size_t)rc;
	}
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transform *a = snappy_new(), *b = snappy_new();
	size_t n, m, k, room;
	bool failed[2];

	must(a && b);
	/* 65,536 bytes can come of 3,072: bound what there is to hold. */
	if (size < 1 || size > 16384)
		goto out;
	room = data[0] / 16 * 100 + 1;
	n = open_all(a, data + 1, size - 1, size, whole, 65536, &failed[0]);
	m = open_all(b, data + 1, size - 1, 1 + data[0] % 16, parts, room,
		&failed[1]);
	must(failed[0] == failed[1]);
	must(failed[0] ? n <= m : n == m);
	must(memcmp(whole, parts, n) == 0);
	if (!failed[0])
		must(a->ops->below_ended(a) == b->ops->below_ended(b));
	k = size;
	n = (size_t)a->ops->seal(a, data, &k, wire, size + a->overhead);
	must(k == size && n <= size + a->overhead);
	transform_free(&b);
	b = snappy_new();
	must(open_all(b, wire, n, 1 + data[0], parts, room, &failed[0]) ==
		size);
	must(!failed[0] && memcmp(parts, data, size) == 0);
out:
	transform_free(&a);
	transform_free(&b);
	return 0;
}
