/* SPDX-License-Identifier: Apache-2.0 */

/* Whom a request is for, and what is forwarded as its target. */
// links: common/http/target.c common/http/host.c common/http/head.c common/http/text.c

#include "common/http/target.h"

#include "tests/unit/request.h"

#define HOST "Host: A.test:80\r\n\r\n"

static const struct {
	const char *head;
	int result;
	const char *host, *authority, *path;
	enum target_form form;
	bool slash, asterisk;
} rows[] = {
	{ "GET /a?b HTTP/1.1\r\n" HOST, 0, "a.test", "A.test:80", "/a?b",
		TARGET_ORIGIN, false, false },
	{ "GET http://B.test:1/x HTTP/1.1\r\n" HOST, 0, "b.test", "B.test:1",
		"/x", TARGET_ABSOLUTE, false, false },
	{ "GET HTTP://b.test HTTP/1.1\r\n" HOST, 0, "b.test", "b.test", "",
		TARGET_ABSOLUTE, true, false },
	{ "GET http://b.test?q HTTP/1.1\r\n" HOST, 0, "b.test", "b.test", "?q",
		TARGET_ABSOLUTE, true, false },
	{ "OPTIONS http://b.test HTTP/1.1\r\n" HOST, 0, "b.test", "b.test", "",
		TARGET_ABSOLUTE, false, true },
	{ "OPTIONS http://b.test/x HTTP/1.1\r\n" HOST, 0, "b.test", "b.test",
		"/x", TARGET_ABSOLUTE, false, false },
	{ "OPTIONS * HTTP/1.1\r\n" HOST, 0, "a.test", "A.test:80", "",
		TARGET_ASTERISK, false, true },
	{ "GET / HTTP/1.0\r\n\r\n", 0, "", "", "/", TARGET_ORIGIN, false,
		false },
	{ "GET http://b.test/ HTTP/1.0\r\n\r\n", 0, "b.test", "b.test", "/",
		TARGET_ABSOLUTE, false, false },
	{ .head = "GET / HTTP/1.1\r\n\r\n", .result = -400 },
	{ .head = "GET http://b.test/ HTTP/1.1\r\n\r\n", .result = -400 },
	{ .head = "GET http://b.test/ HTTP/1.1\r\nHost: a b\r\n\r\n",
		.result = -400 },
	{ .head = "GET / HTTP/1.1\r\nHost:\r\n\r\n", .result = -400 },
	{ .head = "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
		.result = -400 },
	{ .head = "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .result = -400 },
	{ .head = "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", .result = -400 },
	{ .head = "GET * HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "OPTIONS ** HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "OPTIONS x HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET a.test HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET a.test:80 HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET https://a.test/ HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET ftp://a.test/ HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET http:/a HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET http:///a HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET http://u@a.test/ HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "GET http://u:p@a.test/ HTTP/1.1\r\n" HOST, .result = -400 },
	{ "CONNECT B.test:443 HTTP/1.1\r\n" HOST, 0, "b.test", "B.test:443", "",
		TARGET_CONNECT, false, false },
	{ "CONNECT b:9 HTTP/1.1\r\n" HOST, 0, "b", "b:9", "", TARGET_CONNECT,
		false, false },
	{ "CONNECT [::1]:443 HTTP/1.1\r\n" HOST, 0, "[::1]", "[::1]:443", "",
		TARGET_CONNECT, false, false },
	{ .head = "CONNECT a.test HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT a.test: HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT a1 HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT [::1] HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT /a:1 HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT http://a:1 HTTP/1.1\r\n" HOST, .result = -400 },
	{ .head = "CONNECT a:1 HTTP/1.1\r\n\r\n", .result = -400 },
	{ .head = "TRACE / HTTP/1.1\r\n" HOST, .result = -405 },
};

static void expect_span(
	const uint8_t *data, uint16_t at, uint16_t len, const char *want)
{
	cr_assert_eq(len, strlen(want), "%.*s for %s", len, data + at, want);
	cr_assert(memcmp(data + at, want, len) == 0);
}

Test(target, table)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_target t;
		struct http_head head;
		const uint8_t *data = request_parse(&head, rows[i].head);

		cr_assert_eq(target_authority(&t, &head, data), rows[i].result,
			"%s", rows[i].head);
		if (rows[i].result < 0) {
			cr_assert_not_null(t.error);
			cr_assert_str_eq(t.host, "");
			continue;
		}
		cr_assert_str_eq(t.host, rows[i].host);
		cr_assert_eq(t.form, rows[i].form);
		cr_assert_eq(t.slash, rows[i].slash);
		cr_assert_eq(t.asterisk, rows[i].asterisk);
		expect_span(
			data, t.authority, t.authority_len, rows[i].authority);
		expect_span(data, t.path, t.path_len, rows[i].path);
	}
}
