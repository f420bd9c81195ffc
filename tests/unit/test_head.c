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
	{ "GET  / HTTP/1.1\r\n", -400 },
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

/* Whatever comes: no harm, and all spans lie within the head. */
Test(head, mutations)
{
	static const char seed[] = H "Host: a.test\r\nX: y\r\n\r\n";
	uint8_t data[sizeof(seed)];

	srand(3);
	for (int i = 0; i < 200000; i++) {
		struct http_head head;
		int rc;

		memcpy(data, seed, sizeof(seed));
		for (int k = rand() % 3; k >= 0; k--)
			data[(size_t)rand() % (sizeof(seed) - 1)] =
				(uint8_t)(rand() % 4
						  ? "\r\n :\tAx\0"[rand() % 8]
						  : rand());
		head_init(&head);
		rc = head_parse(&head, data, sizeof(seed) - 1);
		if (rc <= 0)
			continue;
		for (unsigned f = 0; f < head.count; f++) {
			const struct http_field *p = &head.fields[f];

			cr_assert_gt(p->name_len, 0);
			cr_assert_leq(p->name + p->name_len, rc);
			cr_assert_leq(p->value + p->value_len, rc);
		}
	}
}
