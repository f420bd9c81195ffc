/* SPDX-License-Identifier: Apache-2.0 */

/* Our own responses, byte by byte. */
// links: common/http/answer.c

#include "common/http/answer.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const struct answer *a, const char *want)
{
	uint8_t out[ANSWER_SIZE_MAX + 100];
	size_t n = answer_build(out, sizeof(out), a);

	cr_assert_eq(n, strlen(want));
	cr_assert(memcmp(out, want, n) == 0, "%.*s", (int)n, out);
	cr_assert_eq(answer_build(out, n - 1, a), 0);
}

Test(answer, sentence)
{
	struct answer a = { .status = 404 };

	expect(&a, "HTTP/1.1 404 Not Found\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n"
		   "Content-Length: 40\r\nConnection: close\r\n\r\n"
		   "404 There is no site of this name here.\n");
	a.head = true;
	a.date = "Sun, 06 Nov 1994 08:49:37 GMT";
	expect(&a, "HTTP/1.1 404 Not Found\r\n"
		   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n"
		   "Content-Length: 40\r\nConnection: close\r\n\r\n");
}

Test(answer, page)
{
	struct answer a = { .status = 404, .body = "<p>", .body_len = 3 };

	expect(&a, "HTTP/1.1 404 Not Found\r\n"
		   "Content-Type: text/html; charset=utf-8\r\n"
		   "Content-Length: 3\r\nConnection: close\r\n\r\n<p>");
}

Test(answer, every_status_fits)
{
	static const int statuses[] = { 200, 400, 401, 404, 405, 407, 408, 414,
		417, 431, 500, 501, 502, 503, 504, 505, 508 };
	uint8_t out[ANSWER_SIZE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct answer a = { .status = statuses[i] };

		cr_assert_not_null(answer_reason(statuses[i]));
		cr_assert_gt(answer_build(out, sizeof(out), &a), 0);
	}
	cr_assert_null(answer_reason(201));
}

Test(answer, unknown_is_500)
{
	uint8_t out[ANSWER_SIZE_MAX];
	struct answer a = { .status = 299 };

	cr_assert_gt(answer_build(out, sizeof(out), &a), 0);
	cr_assert(memcmp(out, "HTTP/1.1 500 ", 13) == 0);
}
