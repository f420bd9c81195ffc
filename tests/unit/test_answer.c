/* SPDX-License-Identifier: Apache-2.0 */

/* Our own responses, byte by byte. */
// links: common/http/answer.c

#include "common/http/answer.h"

#include <criterion/criterion.h>
#include <string.h>

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define NO_STORE "Cache-Control: no-store\r\n"
#define CLOSE "Connection: close\r\n\r\n"

static void expect(const struct answer *a, const char *want)
{
	uint8_t out[ANSWER_SIZE_MAX + 100];
	struct answer_size n = answer_build(out, sizeof(out), a);
	const char *body = strstr(want, "\r\n\r\n") + 4;

	cr_assert(
		memcmp(out, want, strlen(want)) == 0, "%.*s", (int)n.all, out);
	cr_assert_eq(n.all, strlen(want));
	cr_assert_eq(n.body, strlen(body));
	cr_assert_eq(answer_build(out, n.all - 1, a).all, 0);
}

Test(answer, sentence)
{
	struct answer a = { .status = 404 };

	expect(&a, "HTTP/1.1 404 Not Found\r\n" PLAIN
		   "Content-Length: 40\r\n" NO_STORE CLOSE
		   "404 There is no site of this name here.\n");
	a.id = "0123456789abcdef";
	expect(&a, "HTTP/1.1 404 Not Found\r\n" PLAIN
		   "Content-Length: 69\r\n" NO_STORE CLOSE
		   "404 There is no site of this name here.\n"
		   "Request id: 0123456789abcdef\n");
	a.head = true;
	a.date = "Sun, 06 Nov 1994 08:49:37 GMT";
	expect(&a, "HTTP/1.1 404 Not Found\r\n"
		   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" PLAIN
		   "Content-Length: 69\r\n" NO_STORE CLOSE);
}

Test(answer, page_of_the_caller)
{
	struct answer a = {
		.status = 503, .body = "<p>", .body_len = 3, .id = "1"
	};

	expect(&a, "HTTP/1.1 503 Service Unavailable\r\n"
		   "Content-Type: text/html; charset=utf-8\r\n"
		   "Content-Length: 3\r\n" NO_STORE CLOSE "<p>");
	a.body_len = 0;
	a.keep = true;
	expect(&a, "HTTP/1.1 503 Service Unavailable\r\n"
		   "Content-Type: text/html; charset=utf-8\r\n"
		   "Content-Length: 0\r\n" NO_STORE "\r\n");
}

/* A login is asked for in frp's words, whoever asks. */
Test(answer, login)
{
	struct answer a = { .status = 401,
		.html = true,
		.keep = true,
		.old = true,
		.id = "1" };

	expect(&a, "HTTP/1.1 401 Unauthorized\r\n" PLAIN
		   "Content-Length: 13\r\n" NO_STORE
		   "WWW-Authenticate: Basic realm=\"Restricted\"\r\n"
		   "X-Content-Type-Options: nosniff\r\n"
		   "Connection: keep-alive\r\n\r\nUnauthorized\n");
	a.status = 407;
	a.old = false;
	expect(&a, "HTTP/1.1 407 Proxy Authentication Required\r\n" PLAIN
		   "Content-Length: 30\r\n" NO_STORE
		   "Proxy-Authenticate: Basic realm=\"Restricted\"\r\n"
		   "X-Content-Type-Options: nosniff\r\n\r\n"
		   "Proxy Authentication Required\n");
}

Test(answer, page)
{
	struct answer a = { .status = 504, .html = true, .id = "00f1" };
	uint8_t out[ANSWER_SIZE_MAX + 1];
	struct answer_size n = answer_build(out, ANSWER_SIZE_MAX, &a);
	const char *text = (const char *)out;

	cr_assert_gt(n.all, n.body);
	out[n.all] = '\0';
	cr_assert_eq(strlen(text), n.all);
	cr_assert(strstr(text, "Content-Type: text/html; charset=utf-8\r\n"));
	cr_assert(strstr(text, "<title>504 Gateway Timeout</title>"));
	cr_assert(strstr(text, "<p>The site took too long to answer.</p>"));
	cr_assert(strstr(text, "Request id: <code>00f1</code>"));
	cr_assert(strstr(text, "prefers-color-scheme: dark"));
	/* Nothing is fetched from elsewhere. */
	cr_assert_null(strstr(text, "src="));
	cr_assert_null(strstr(text, "url("));
	cr_assert_null(strstr(text, "//"));
	a.head = true;
	cr_assert_eq(answer_build(out, ANSWER_SIZE_MAX, &a).body, 0);
}

Test(answer, every_status_fits)
{
	static const int statuses[] = { 200, 400, 401, 404, 405, 407, 408, 414,
		417, 431, 500, 501, 502, 503, 504, 505, 508 };
	static const char longest[] = "0123456789012345678901234567890123456789"
				      "01234567890123456789012";
	uint8_t out[ANSWER_SIZE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct answer a = { .status = statuses[i],
			.html = true,
			.id = longest,
			.date = longest };

		cr_assert_not_null(answer_reason(statuses[i]));
		cr_assert_gt(answer_build(out, sizeof(out), &a).all, 0);
	}
	cr_assert_null(answer_reason(201));
}

Test(answer, unknown_is_500)
{
	uint8_t out[ANSWER_SIZE_MAX];
	struct answer a = { .status = 299 };

	cr_assert_gt(answer_build(out, sizeof(out), &a).all, 0);
	cr_assert(memcmp(out, "HTTP/1.1 500 ", 13) == 0);
}
