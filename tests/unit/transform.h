/* SPDX-License-Identifier: Apache-2.0 */

/* Transforms with arrays: what comes out of them, whatever the pieces. */

#ifndef ADIT_TESTS_UNIT_TRANSFORM_H
#define ADIT_TESTS_UNIT_TRANSFORM_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/transform.h"

/*
 * Open all bytes, `piece` at a time, into memory of `room` bytes each; returns
 * how many came, or -errno. The memory of each piece is its own.
 */
static inline ssize_t open_all(struct transform *t, const void *bytes,
	size_t size, size_t piece, uint8_t *out, size_t room)
{
	size_t at = 0, got = 0;
	bool more = false;

	while (at < size || more) {
		size_t k = piece < size - at ? piece : size - at, n = k;
		uint8_t *in = malloc(k + 1), *to = malloc(room + 1);
		ssize_t rc;

		memcpy(in, (const uint8_t *)bytes + at, k);
		rc = t->ops->open(t, in, &n, to, room);
		cr_assert_leq(n, k);
		if (rc >= 0) {
			cr_assert_leq((size_t)rc, room);
			more = (size_t)rc == room;
			cr_assert(more || n == k);
			memcpy(out + got, to, (size_t)rc);
			got += (size_t)rc;
		}
		free(in);
		free(to);
		if (rc < 0)
			return rc;
		at += n;
	}
	return (ssize_t)got;
}

/* Seal all bytes, `piece` at a time, with room for so many, and own words. */
static inline size_t seal_all(struct transform *t, const void *bytes,
	size_t size, size_t piece, uint8_t *out, size_t room)
{
	size_t at = 0, got = 0;

	while (at < size || t->has_words) {
		size_t k = piece < size - at ? piece : size - at, n = k;
		uint8_t *in = malloc(k + 1), *to = malloc(room + 1);
		ssize_t rc;

		if (k > 0)
			memcpy(in, (const uint8_t *)bytes + at, k);
		rc = t->ops->seal(t, in, &n, to, room);
		cr_assert_gt(rc, 0);
		cr_assert(n <= k && (size_t)rc <= room);
		if (room >= k + t->overhead && k <= 17 << 10)
			cr_assert_eq(n, k);
		memcpy(out + got, to, (size_t)rc);
		free(in);
		free(to);
		got += (size_t)rc;
		at += n;
	}
	return got;
}

/* Bytes of a text of hex digits, blanks between them. */
static inline size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;
	int skip;

	while (sscanf(text, " %2x%n", &byte, &skip) == 1) {
		out[n++] = (uint8_t)byte;
		text += skip;
	}
	return n;
}

#endif
