/* SPDX-License-Identifier: Apache-2.0 */

/* The head parser: verdicts, offsets, pieces, mutations, limits. */
// links: common/http/head.c common/http/text.c

#include "common/http/head.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define H "GET / HTTP/1.1\r\n"

struct row {
	const char *bytes;
	int result; /* 1: the whole input; 0: more; else a status */
};

static const struct row rows[] = {
	{ H "\r\n", 1 },
	{ H "Host: a\r\n\r\n", 1 },
	{ "\r\n" H "Host: a\r\n\r\n", 1 },
	{ H "Host:a\r\n", 0 },
	{ H "Host:a\r\n\r", 0 },
	{ "get /a?b#", -400 },
	{ "get /a?\"{}|^\\<>`\x80\xff HTTP/1.0\r\n\r\n", 1 },
	{ H "A:\r\nB: \t \r\nC: x\ty\x80 \r\n\r\n", 1 },
	{ "\r\n\r\n" H, -400 },
	{ "\n" H, -400 },
	{ "\rX", -400 },
	{ " GET / HTTP/1.1\r\n", -400 },
	{ " / HTTP/1.1\r\n\r\n", -400 },
	{ "GET  / HTTP/1.1\r\n", -400 },
	{ "GET  HTTP/1.1\r\n\r\n", -400 },
	{ "GET /  HTTP/1.1\r\n", -400 },
	{ "GET\t/ HTTP/1.1\r\n", -400 },
	{ "GET / HTTP/1.1 \r\n", -400 },
	{ "GET /\r\n", -400 },
	{ "G(T / HTTP/1.1\r\n", -400 },
	{ "GET /\x7f HTTP/1.1\r\n", -400 },
	{ "GET / HTTP/1.2\r\n", -505 },
	{ "GET / HTTP/2.0\r\n", -505 },
	{ "GET / HTTP/0.9\r\n", -505 },
	{ "GET / http/1.1\r\n", -400 },
	{ "GET / HTTP/1.10\r\n", -400 },
	{ "GET / HTTP/1,1\r\n", -400 },
	{ "GET / HTTP/1.x\r\n", -400 },
	{ "GET / HTTP/1.1\n", -400 },
	{ "GET / HTTP/1.1\rX", -400 },
	{ H " A: b\r\n", -400 },
	{ H "A: b\r\n c\r\n\r\n", -400 },
	{ H "A: b\r\n\tc\r\n\r\n", -400 },
	{ H "A : b\r\n", -400 },
	{ H "A\r\n", -400 },
	{ H ": b\r\n", -400 },
	{ H "A@: b\r\n", -400 },
	{ H "A(: b\r\n", -400 },
	{ H "A/: b\r\n", -400 },
	{ H "\x80: b\r\n", -400 },
	{ H "A: b\n", -400 },
	{ H "A: b\rc\r\n", -400 },
	{ H "A\r: b\r\n", -400 },
	{ H "A: \x01\r\n", -400 },
	{ H "A: \x7f\r\n", -400 },
	{ H "A: b\r\n\n", -400 },
	{ H "A: b\r\n\rX", -400 },
};

static int expected(const struct row *row)
{
	return row->result == 1 ? (int)strlen(row->bytes) : row->result;
}

Test(head, verdicts)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *data = (const uint8_t *)rows[i].bytes;
		size_t n = strlen(rows[i].bytes);
		struct http_head head;

		head_init(&head);
		cr_assert_eq(head_parse(&head, data, n), expected(&rows[i]),
			"row %zu: %s", i, head.error ? head.error : "");
		if (rows[i].result < 0)
			cr_assert_not_null(head.error);
		/* The answer does not change. */
		cr_assert_eq(head_parse(&head, data, n), expected(&rows[i]));
	}
}

Test(head, one_byte_at_a_time_is_the_same)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].bytes);
		struct http_head once, head;
		int rc = 0;

		head_init(&once);
		(void)!head_parse(&once, (const uint8_t *)rows[i].bytes, n);
		memset(&head, 0, sizeof(head));
		head_init(&head);
		for (size_t k = 1; k <= n && rc == 0; k++) {
			/* Elsewhere each time, and not a byte further. */
			uint8_t *copy = malloc(k);

			memcpy(copy, rows[i].bytes, k);
			rc = head_parse(&head, copy, k);
			free(copy);
		}
		cr_assert_eq(rc, expected(&rows[i]), "row %zu", i);
		cr_assert_eq(head.count, once.count);
		cr_assert_eq(head.size, once.size);
		cr_assert(memcmp(head.fields, once.fields,
				  head.count * sizeof(*head.fields)) == 0);
	}
}

static void expect_text(struct http_text have, const char *want)
{
	cr_assert_eq(have.len, strlen(want), "%.*s", (int)have.len, have.data);
	cr_assert(memcmp(have.data, want, have.len) == 0);
}

Test(head, offsets)
{
	static const char text[] = "\r\nPOST /a?b HTTP/1.0\r\n"
				   "Host:  x.test \t\r\nEmpty:\r\nhost: y\r\n"
				   "\r\nbody";
	const uint8_t *data = (const uint8_t *)text;
	struct http_head head;

	head_init(&head);
	cr_assert_eq(head_parse(&head, data, sizeof(text) - 1),
		(int)sizeof(text) - 5);
	expect_text(head_method(&head, data), "POST");
	expect_text(head_target(&head, data), "/a?b");
	cr_assert_eq(head.minor, 0);
	cr_assert_eq(head.count, 3);
	expect_text(head_name(&head, data, 0), "Host");
	expect_text(head_value(&head, data, 0), "x.test");
	expect_text(head_value(&head, data, 1), "");
	cr_assert_eq(head_find(&head, data, "HOST", 0), 0);
	cr_assert_eq(head_find(&head, data, "HOST", 1), 2);
	cr_assert_eq(head_find(&head, data, "HOST", 3), -1);
	cr_assert(head_method_is(&head, data, "POST"));
	cr_assert_not(head_method_is(&head, data, "post"));
	cr_assert_not(head_method_is(&head, data, "POS"));
	cr_assert_not(head_method_is(&head, data, "POSTS"));
}

Test(head, limits)
{
	static uint8_t data[2 * HTTP_HEAD_MAX];
	struct http_head head;
	int n;

	/* 100 fields, then one more. */
	for (int fields = 100; fields <= 101; fields++) {
		n = sprintf((char *)data, H);
		for (int i = 0; i < fields; i++)
			n += sprintf((char *)data + n, "A: b\r\n");
		n += sprintf((char *)data + n, "\r\n");
		head_init(&head);
		cr_assert_eq(head_parse(&head, data, (size_t)n),
			fields == 100 ? n : -431);
	}
	/* A head of exactly the limit, and one byte more. */
	for (int more = 0; more <= 1; more++) {
		n = sprintf((char *)data, H "A: ");
		memset(data + n, 'x', HTTP_HEAD_MAX);
		memcpy(data + HTTP_HEAD_MAX - 4 + more, "\r\n\r\n", 4);
		head_init(&head);
		cr_assert_eq(head_parse(&head, data, sizeof(data)),
			more ? -431 : HTTP_HEAD_MAX);
	}
	/* A target beyond it. */
	n = sprintf((char *)data, "GET /");
	memset(data + n, 'x', sizeof(data) - (size_t)n);
	head_init(&head);
	cr_assert_eq(head_parse(&head, data, sizeof(data)), -414);
	/* A method of 32 bytes, and of 33. */
	memset(data, 'M', 40);
	data[32] = ' ';
	head_init(&head);
	cr_assert_eq(head_parse(&head, data, 33), 0);
	data[32] = 'M';
	head_init(&head);
	cr_assert_eq(head_parse(&head, data, 33), -400);
}

#define R "HTTP/1.1 200 OK\r\n"

static const struct response_row {
	const char *bytes;
	int result; /* 1: the whole input; 0: more; else a status */
	bool repaired;
} responses[] = {
	{ R "\r\n", 1, false },
	{ R "A: b\r\n\r\n", 1, false },
	{ "HTTP/1.0 404 \r\n\r\n", 1, false },
	{ "HTTP/1.1 200 \x80 caf\xc3\xa9\r\n\r\n", 1, false },
	{ "HTTP/1.1 999 x\r\nA:\r\n\r\n", 1, false },
	{ "HTTP/1.2 200 OK\r\n\r\n", 1, false },
	{ "HTTP/1.9 200 OK\r\n\r\n", 1, false },
	{ "HTTP/1.1 200\r\n\r\n", 1, true },
	{ "HTTP/1.1 200\n\n", 1, true },
	{ "HTTP/1.1 200 OK\n\r\n", 1, true },
	{ R "A: b\n\r\n", 1, true },
	{ R "A: b\r\n\n", 1, true },
	{ R "A : b\r\n\r\n", 1, true },
	{ R "A \t : b\r\n\r\n", 1, true },
	{ R "A: b\r\n c\r\n\td\r\n\r\n", 1, true },
	{ R "A:\r\n b\r\n\r\n", 1, true },
	{ R "A: b\r", 0, false },
	{ "HTTP/1.", 0, false },
	{ "\r\n" R, -502, false },
	{ "ICY 200 OK\r\n", -502, false },
	{ "<html>", -502, false },
	{ "HTTP/2 200\r\n", -502, false },
	{ "HTTP/1.1  200 OK\r\n", -502, false },
	{ "HTTP/1.1 099 x\r\n", -502, false },
	{ "HTTP/1.1 1000 x\r\n", -502, false },
	{ "HTTP/1.1 2000\r\n\r\n", -502, false },
	{ "HTTP/1.1 20x\r\n", -502, false },
	{ "HTTP/1.1 200 O\rK\r\n", -502, false },
	{ "HTTP/1.1 200 O\x01K\r\n", -502, false },
	{ R " A: b\r\n", -502, false },
	{ R "A b: c\r\n", -502, false },
	{ R ": c\r\n", -502, false },
	{ R "A: b\rc\r\n", -502, false },
	{ R "A: \x01\r\n", -502, false },
	{ R "A@: b\r\n", -502, false },
};

Test(head, responses)
{
	for (size_t i = 0; i < ARRAY_SIZE(responses); i++) {
		const struct response_row *row = &responses[i];
		const uint8_t *data = (const uint8_t *)row->bytes;
		size_t n = strlen(row->bytes);
		int want = row->result == 1 ? (int)n : row->result;
		struct http_head head;
		int rc = 0;

		head_init_response(&head);
		cr_assert_eq(head_parse(&head, data, n), want, "row %zu: %s", i,
			head.error ? head.error : "");
		if (want >= 0)
			cr_assert_eq(
				head.repaired, row->repaired, "row %zu", i);
		head_init_response(&head);
		for (size_t k = 1; k <= n && rc == 0; k++)
			rc = head_parse(&head, data, k);
		cr_assert_eq(rc, want, "row %zu in pieces", i);
	}
}

Test(head, response_offsets)
{
	static const char text[] = "HTTP/1.0 404 Not Found\r\nA : b\r\n c\r\n"
				   "B: d\n\r\nbody";
	const uint8_t *data = (const uint8_t *)text;
	struct http_head head;

	head_init_response(&head);
	cr_assert_eq(head_parse(&head, data, sizeof(text) - 1),
		(int)sizeof(text) - 5);
	cr_assert_eq(head.code, 404);
	cr_assert_eq(head.minor, 0);
	expect_text(head_reason(&head, data), "Not Found");
	cr_assert_eq(head.count, 2);
	expect_text(head_name(&head, data, 0), "A");
	expect_text(head_value(&head, data, 0), "b\r\n c");
	expect_text(head_value(&head, data, 1), "d");
	cr_assert(head.repaired && head.folded);
}

Test(head, response_limits)
{
	static uint8_t data[2 * HTTP_RESPONSE_MAX];
	struct http_head head;

	for (int fields = 200; fields <= 201; fields++) {
		int n = sprintf((char *)data, R);

		for (int i = 0; i < fields; i++)
			n += sprintf((char *)data + n, "A: b\r\n");
		n += sprintf((char *)data + n, "\r\n");
		head_init_response(&head);
		cr_assert_eq(head_parse(&head, data, (size_t)n),
			fields == 200 ? n : -502);
	}
	for (int more = 0; more <= 1; more++) {
		int n = sprintf((char *)data, R "A: ");

		memset(data + n, 'x', HTTP_RESPONSE_MAX);
		memcpy(data + HTTP_RESPONSE_MAX - 4 + more, "\r\n\r\n", 4);
		head_init_response(&head);
		cr_assert_eq(head_parse(&head, data, sizeof(data)),
			more ? -502 : HTTP_RESPONSE_MAX);
	}
}

/* In pieces of random sizes, with or without the fast lines. */
static int parse_in_pieces(struct http_head *head, const uint8_t *data,
	size_t n, int (*parse)(struct http_head *, const uint8_t *, size_t))
{
	int rc = 0;

	for (size_t k = 0; k < n && rc == 0;) {
		k += 1 + (size_t)rand() % 30;
		rc = parse(head, data, k < n ? k : n);
	}
	return rc;
}

/*
 * Whatever comes: no harm, all spans lie within the head, and the fast way
 * finds the same as the plain one.
 */
Test(head, mutations)
{
	static const char *const seeds[] = { H "Host: a.test\r\nX: y\r\n\r\n",
		R "Content-Length: 5\r\nSet-Cookie: a=b; \xc3\xa9\r\n\r\n" };
	uint8_t data[100];

	srand(3);
	for (int i = 0; i < 400000; i++) {
		const char *seed = seeds[i % 2];
		size_t n = strlen(seed);
		void (*init)(struct http_head *) =
			i % 2 ? head_init_response : head_init;
		struct http_head head, plain, pieces;
		int rc;

		memcpy(data, seed, n);
		for (int k = rand() % 3; k >= 0; k--)
			data[(size_t)rand() % n] =
				(uint8_t)(rand() % 4
						  ? "\r\n :\tAx\0"[rand() % 8]
						  : rand());
		init(&head);
		init(&plain);
		init(&pieces);
		rc = head_parse(&head, data, n);
		cr_assert_eq(head_parse_plain(&plain, data, n), rc);
		cr_assert_eq(parse_in_pieces(&pieces, data, n, head_parse), rc);
		cr_assert_eq(head.size, plain.size);
		cr_assert_eq(head.size, pieces.size);
		if (rc <= 0)
			continue;
		cr_assert_eq(head.repaired, plain.repaired);
		cr_assert_eq(head.count, plain.count);
		cr_assert(memcmp(head.fields, plain.fields,
				  head.count * sizeof(*head.fields)) == 0);
		cr_assert(memcmp(head.fields, pieces.fields,
				  head.count * sizeof(*head.fields)) == 0);
		for (unsigned f = 0; f < head.count; f++) {
			const struct http_field *p = &head.fields[f];

			cr_assert_gt(p->name_len, 0);
			cr_assert_leq(p->name + p->name_len, rc);
			cr_assert_leq(p->value + p->value_len, rc);
		}
	}
}
