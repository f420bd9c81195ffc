/* SPDX-License-Identifier: Apache-2.0 */

/* Chunked bodies: what passes, what is refused, in any pieces. */
// links: common/http/chunked.c common/http/text.c

#include "common/http/chunked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END "0\r\n\r\n"

static const struct {
	const char *in, *out; /* NULL: refused */
	const char *data;
} rows[] = {
	{ END, END, "" },
	{ "5\r\nhello\r\n" END, "5\r\nhello\r\n" END, "hello" },
	{ "1\r\na\r\n2\r\nbc\r\n" END, "1\r\na\r\n2\r\nbc\r\n" END, "abc" },
	{ "0005\r\nhello\r\n00\r\n\r\n", "5\r\nhello\r\n" END, "hello" },
	{ "000000000000000A\r\n0123456789\r\n" END, "a\r\n0123456789\r\n" END,
		"0123456789" },
	{ "1;a\r\nx\r\n" END, "1\r\nx\r\n" END, "x" },
	{ "1;a=bc\r\nx\r\n" END, "1\r\nx\r\n" END, "x" },
	{ "1;a=b;c=\"d;\\\"e\"\r\nx\r\n0;z\r\n\r\n", "1\r\nx\r\n" END, "x" },
	{ "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\n", "1\r\nx\r\n" END,
		"x" },
	{ "0\r\nA:\r\n\r\n", END, "" },
	{ "\r\n" END, NULL, NULL },
	{ "\r\n\r\n", NULL, NULL },
	{ ";a\r\n\r\n", NULL, NULL },
	{ "x\r\n", NULL, NULL },
	{ "0x1\r\nx\r\n", NULL, NULL },
	{ "1_0\r\n", NULL, NULL },
	{ "+1\r\n", NULL, NULL },
	{ "-1\r\n", NULL, NULL },
	{ " 1\r\n", NULL, NULL },
	{ "1 \r\nx\r\n", NULL, NULL },
	{ "1\t;a\r\nx\r\n", NULL, NULL },
	{ "00000000000000001\r\nx\r\n", NULL, NULL },
	{ "8000000000000000\r\n", NULL, NULL },
	{ "1;\r\nx\r\n", NULL, NULL },
	{ "1;=b\r\nx\r\n", NULL, NULL },
	{ "1;a=\r\nx\r\n", NULL, NULL },
	{ "1;a=\"b\r\n\"\r\nx\r\n", NULL, NULL },
	{ "1;a=\"b\"c\r\nx\r\n", NULL, NULL },
	{ "1;a\x01\r\nx\r\n", NULL, NULL },
	{ "1;a\nx\r\n", NULL, NULL },
	{ "1\nx\r\n", NULL, NULL },
	{ "1\r\nx\n" END, NULL, NULL },
	{ "1\r\nxx\r\n", NULL, NULL },
	{ "1\rx", NULL, NULL },
	{ "0\r\nA: b\n\r\n", NULL, NULL },
	{ "0\r\nA : b\r\n\r\n", NULL, NULL },
	{ "0\r\n A: b\r\n\r\n", NULL, NULL },
	{ "0\r\nA: b\r\n\rx", NULL, NULL },
	{ "0\r\nA: \x01\r\n\r\n", NULL, NULL },
};

static char out[200000];
static size_t out_size;

static void put(const void *bytes, size_t n)
{
	memcpy(out + out_size, bytes, n);
	out_size += n;
}

/* Pass the bytes in pieces of so many; how many were taken, or -1. */
static int pass(const char *in, size_t n, enum chunked_as as, size_t piece)
{
	struct chunked c;
	size_t at = 0;

	out_size = 0;
	chunked_init(&c, as);
	while (at < n && c.state != CHUNKED_DONE) {
		size_t end = at + piece < n ? at + piece : n;

		while (at < end && c.state != CHUNKED_DONE) {
			const uint8_t *from = (const uint8_t *)in + at;
			struct chunked_step s =
				chunked_next(&c, from, end - at);

			if (c.state == CHUNKED_BAD) {
				cr_assert_not_null(c.error);
				return -1;
			}
			cr_assert(s.count > 0 && s.count <= end - at);
			if (s.data)
				put(from, s.count);
			put(s.put, s.put_size);
			at += s.count;
		}
	}
	return c.state == CHUNKED_DONE ? (int)at : 0;
}

Test(chunked, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t n = strlen(rows[i].in);
		char more[200];

		/* What follows is the next message's. */
		memcpy(more, rows[i].in, n);
		memcpy(more + n, "GET", 3);
		for (size_t piece = 1; piece <= n + 3; piece++) {
			int rc = pass(more, n + 3, CHUNKED_ANEW, piece);

			cr_assert_eq(rc, rows[i].out ? (int)n : -1,
				"row %zu in pieces of %zu: %d", i, piece, rc);
			if (!rows[i].out)
				continue;
			cr_assert_eq(out_size, strlen(rows[i].out));
			cr_assert(memcmp(out, rows[i].out, out_size) == 0);
			cr_assert_eq(
				pass(more, n + 3, CHUNKED_DATA_ONLY, piece),
				(int)n);
			cr_assert_eq(out_size, strlen(rows[i].data));
			cr_assert(memcmp(out, rows[i].data, out_size) == 0);
		}
	}
}

#define LONG                               \
	"0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef"

Test(chunked, trailers)
{
	static const struct {
		const char *in, *out;
	} kept[] = {
		{ "1\r\nx\r\n0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n" },
		{ "0\r\nA: b\r\n\r\n", "0\r\nA: b\r\n\r\n" },
		{ "00\r\nA:\r\nB: c d\r\n\r\n", "0\r\nA:\r\nB: c d\r\n\r\n" },
		{ "0\r\nSet-Cookie: b\r\nC: d\r\nset_cookie: e\r\n\r\n",
			"0\r\nC: d\r\n\r\n" },
		{ "0\r\nContent-Length: 1\r\n\r\n", "0\r\n\r\n" },
		{ "0\r\nV: " LONG LONG "!\r\n\r\n",
			"0\r\nV: " LONG LONG "!\r\n\r\n" },
		{ "0\r\n" LONG "x: a\r\nB: c\r\n\r\n", "0\r\nB: c\r\n\r\n" },
		{ "0\r\nB: c\r\n" LONG "x: a\r\nD: e\r\n\r\n",
			"0\r\nB: c\r\nD: e\r\n\r\n" },
		{ "0\r\nA: \x01\r\n\r\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		size_t n = strlen(kept[i].in);

		for (size_t piece = 1; piece <= n; piece++) {
			int rc = pass(
				kept[i].in, n, CHUNKED_WITH_TRAILERS, piece);

			cr_assert_eq(
				rc, kept[i].out ? (int)n : -1, "row %zu", i);
			if (!kept[i].out)
				continue;
			cr_assert_eq(out_size, strlen(kept[i].out),
				"row %zu: %.*s", i, (int)out_size, out);
			cr_assert(memcmp(out, kept[i].out, out_size) == 0);
		}
	}
}

Test(chunked, limits)
{
	static char in[20000];

	for (int more = 0; more <= 1; more++) {
		int n = sprintf(in, "1;");

		memset(in + n, 'a', 300);
		strcpy(in + n + CHUNKED_EXTENSION_MAX - 1 + more,
			"\r\nx\r\n" END);
		cr_assert_eq(
			pass(in, strlen(in), CHUNKED_ANEW, 1000) > 0, !more);
		n = sprintf(in, "0\r\nA: ");
		memset(in + n, 'a', sizeof(in) - 100);
		strcpy(in + 3 + CHUNKED_TRAILER_MAX - 2 + more, "\r\n\r\n");
		cr_assert_eq(
			pass(in, strlen(in), CHUNKED_ANEW, 1000) > 0, !more);
	}
}

/* Each size line has its own, and the trailers theirs. */
Test(chunked, limits_begin_anew)
{
	static char in[20000];
	char *at = in;

	for (int i = 0; i < 3; i++) {
		at += sprintf(at, "%d;", i < 2);
		memset(at, 'a', CHUNKED_EXTENSION_MAX - 1);
		at += CHUNKED_EXTENSION_MAX - 1;
		at += sprintf(at, "%s", i < 2 ? "\r\nx\r\n" : "\r\nA:");
	}
	memset(at, 'a', CHUNKED_TRAILER_MAX - 4);
	strcpy(at + CHUNKED_TRAILER_MAX - 4, "\r\n\r\n");
	cr_assert_eq(pass(in, strlen(in), CHUNKED_ANEW, 1000), (int)strlen(in));
}

Test(chunked, the_longest_chunk)
{
	struct chunked c;

	chunked_init(&c, CHUNKED_ANEW);
	chunked_next(&c, (const uint8_t *)"7fffffffffffffff\r\n", 18);
	cr_assert_eq(c.state, CHUNKED_DATA);
	cr_assert_eq(c.left, INT64_MAX);
}

Test(chunked, data_may_pass_unseen)
{
	struct chunked c;
	struct chunked_step s;

	chunked_init(&c, CHUNKED_ANEW);
	s = chunked_next(&c, (const uint8_t *)"fffff\r\nabc", 10);
	cr_assert_eq(s.count, 7);
	cr_assert_eq(c.left, 0xfffff);
	s = chunked_next(&c, (const uint8_t *)"abc", 3);
	cr_assert(s.data);
	cr_assert_eq(s.count, 3);
	chunked_skip(&c, 0xffffc);
	cr_assert_eq(c.state, CHUNKED_DATA_CR);
}

/* Whatever comes, the pieces do not matter, and what passes is chunked. */
Test(chunked, mutations)
{
	static const char seed[] = "5;a=\"b\"\r\nhello\r\n1\r\nx\r\n0\r\nA: b"
				   "\r\n\r\n";
	char in[sizeof(seed)], kept[200];
	size_t n = sizeof(seed) - 1;

	srand(5);
	for (int i = 0; i < 200000; i++) {
		int rc;
		size_t size;

		memcpy(in, seed, sizeof(seed));
		for (int k = rand() % 3; k > 0; k--)
			in[(size_t)rand() % n] =
				(char)(rand() % 4 ? "\r\n :;=\"0f"[rand() % 9]
						  : rand());
		rc = pass(in, n, false, n);
		size = out_size;
		memcpy(kept, out, size);
		cr_assert_eq(pass(in, n, false, 1 + (size_t)rand() % 9), rc);
		if (rc <= 0)
			continue;
		cr_assert_eq(out_size, size);
		cr_assert_eq(pass(kept, size, false, 7), (int)size);
		cr_assert(memcmp(out, kept, size) == 0);
	}
}
