/* SPDX-License-Identifier: Apache-2.0 */

/* The forwarded head: golden bytes for what came in. */
// links: common/http/emit.c common/http/framing.c common/http/upgrade.c common/http/target.c common/http/host.c common/http/head.c common/http/text.c

#include "common/http/emit.h"

#include <errno.h>
#include <stdio.h>

#include "common/http/framing.h"
#include "common/http/target.h"
#include "common/http/upgrade.h"
#include "tests/unit/request.h"

#define OURS(host)                                              \
	"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: " host \
	"\r\nX-Forwarded-Proto: http\r\n\r\n"

static ssize_t emit(
	const char *text, uint8_t *out, size_t size, bool trusted, bool tls)
{
	struct http_framing framing;
	struct http_target target;
	struct http_head head;
	char upgrade[UPGRADE_SIZE];
	const uint8_t *data = request_parse(&head, text);
	struct emit_params params = { .head = &head,
		.data = data,
		.target = &target,
		.framing = &framing,
		.peer = "192.0.2.1",
		.host = "fallback",
		.tls = tls,
		.trusted = trusted };

	cr_assert_eq(target_authority(&target, &head, data), 0, "%s", text);
	cr_assert_eq(framing_request(&framing, &head, data), 0, "%s", text);
	if (framing.upgrade && upgrade_list(&head, data, upgrade))
		params.upgrade = upgrade;
	return emit_request(out, size, &params);
}

static void expect(const char *in, bool trusted, bool tls, const char *want)
{
	uint8_t out[4096];
	ssize_t n = emit(in, out, sizeof(out), trusted, tls);

	cr_assert_gt(n, 0);
	out[n] = '\0';
	cr_assert_str_eq((char *)out, want);
	cr_assert_leq((size_t)n, strlen(in) + EMIT_EXTRA);
	/* Exactly as much room is enough, one byte less is not. */
	cr_assert_eq(emit(in, out, (size_t)n, trusted, tls), n);
	cr_assert_eq(emit(in, out, (size_t)n - 1, trusted, tls), -EMSGSIZE);
}

Test(emit, plain)
{
	expect("GET /a%20b?c HTTP/1.0\r\nHost: A.test.:80\r\nx-Y:  z  \r\n"
	       "A: 1\r\na: 2\r\n\r\n",
		false, false,
		"GET /a%20b?c HTTP/1.1\r\nHost: A.test.:80\r\nx-Y: z\r\n"
		"A: 1\r\na: 2\r\n" OURS("A.test.:80"));
}

Test(emit, targets)
{
	expect("GET http://b.test/x HTTP/1.1\r\nA: b\r\nHost: a\r\n\r\n", false,
		false,
		"GET /x HTTP/1.1\r\nA: b\r\nHost: b.test\r\n" OURS("b.test"));
	expect("GET http://b.test?q HTTP/1.1\r\nHost: a\r\n\r\n", false, false,
		"GET /?q HTTP/1.1\r\nHost: b.test\r\n" OURS("b.test"));
	expect("OPTIONS http://b.test HTTP/1.1\r\nHost: a\r\n\r\n", false,
		false, "OPTIONS * HTTP/1.1\r\nHost: b.test\r\n" OURS("b.test"));
	expect("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", false, false,
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n" OURS("a"));
	expect("GET / HTTP/1.0\r\n\r\n", false, false,
		"GET / HTTP/1.1\r\nHost: fallback\r\n" OURS("fallback"));
	expect("GET /\xc3\xa4\"{} HTTP/1.1\r\nHost: a\r\n\r\n", false, false,
		"GET /%C3%A4\"{} HTTP/1.1\r\nHost: a\r\n" OURS("a"));
}

Test(emit, fields_of_one_connection_go)
{
	expect("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine,"
	       " Cookie, Host, X-Forwarded-For\r\nX-Mine: 1\r\nx-mine: 2\r\n"
	       "Cookie: c\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"
	       "TE: gzip\r\nTrailer: x\r\nUpgrade: h2c\r\n"
	       "HTTP2-Settings: x\r\nProxy-Authorization: x\r\n"
	       "Expect: 100-continue\r\nAuthorization: b\r\n\r\n",
		false, false,
		"GET / HTTP/1.1\r\nHost: a\r\nCookie: c\r\nAuthorization: b"
		"\r\n" OURS("a"));
}

Test(emit, who_the_visitor_is)
{
	static const char in[] =
		"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n"
		"X-Forwarded-Host: h\r\nX-Forwarded-Proto: p\r\n"
		"Forwarded: f\r\nX-Real-IP: r\r\nX_Forwarded_For: s\r\n"
		"X-Forwarded_Proto: s\r\nX-Real_IP: s\r\napi_key: k\r\n"
		"X-Forwarded-For: , 8.8.8.8\r\n\r\n";

	expect(in, false, true,
		"GET / HTTP/1.1\r\nHost: a\r\napi_key: k\r\n"
		"X-Forwarded-For: 9.9.9.9, 8.8.8.8, 192.0.2.1\r\n"
		"X-Forwarded-Host: a\r\nX-Forwarded-Proto: https\r\n\r\n");
	expect(in, true, true,
		"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: h\r\n"
		"X-Forwarded-Proto: p\r\nForwarded: f\r\nX-Real-IP: r\r\n"
		"api_key: k\r\n"
		"X-Forwarded-For: 9.9.9.9, 8.8.8.8, 192.0.2.1\r\n\r\n");
}

Test(emit, bodies_and_upgrades)
{
	expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	       "Expect: 100-continue\r\n\r\n",
		false, false,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		"Expect: 100-continue\r\n" OURS("a"));
	expect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n"
	       "\r\n",
		false, false,
		"POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
		"X-Forwarded-Host: a\r\nX-Forwarded-Proto: http\r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	expect("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, websocket\r\n"
	       "Connection: Upgrade, HTTP2-Settings\r\n"
	       "Sec-WebSocket-Key: k\r\n\r\n",
		false, false,
		"GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\n"
		"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a\r\n"
		"X-Forwarded-Proto: http\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
}

Test(emit, trailers_are_asked_for)
{
	expect("GET / HTTP/1.1\r\nHost: a\r\nTE: gzip, Trailers\r\n\r\n", false,
		false,
		"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
		"X-Forwarded-Host: a\r\nX-Forwarded-Proto: http\r\n"
		"TE: trailers\r\nConnection: TE\r\n\r\n");
}

Test(emit, max_forwards_counts_down)
{
	expect("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 010\r\n\r\n",
		false, false,
		"OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 9\r\n" OURS(
			"a"));
	expect("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n",
		false, false,
		"OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n" OURS(
			"a"));
	expect("GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\n\r\n", false,
		false,
		"GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\n" OURS("a"));
}

Test(emit, connect_goes_as_it_came)
{
	expect("CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n"
	       "Proxy-Authorization: Basic eA==\r\nX-Forwarded-For: 9\r\n\r\n",
		false, false,
		"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n"
		"Proxy-Authorization: Basic eA==\r\n\r\n");
}

Test(emit, circles)
{
	char text[2000];
	uint8_t out[4096];
	int n = sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");

	for (int i = 0; i < EMIT_FORWARDED_MAX; i++)
		n += sprintf(text + n, "X-Forwarded-For: 1.1.1.1\r\n");
	strcpy(text + n, "\r\n");
	cr_assert_gt(emit(text, out, sizeof(out), false, false), 0);
	strcpy(text + n, "X-Forwarded-For: 1.1.1.1\r\n\r\n");
	cr_assert_eq(emit(text, out, sizeof(out), false, false), -508);
}

static void expect_response(const char *in, bool head_request, bool old,
	bool close, const char *want)
{
	struct http_framing framing;
	struct http_head head;
	const uint8_t *data = (const uint8_t *)in;
	struct emit_response_params p = { .head = &head,
		.data = data,
		.framing = &framing,
		.date = "today",
		.old = old,
		.close = close };
	uint8_t out[4096];
	ssize_t n;

	head_init_response(&head);
	cr_assert_gt(head_parse(&head, data, strlen(in)), 0, "%s", in);
	cr_assert_eq(framing_response(&framing, &head, data, head_request), 0);
	n = emit_response(out, sizeof(out), &p);
	cr_assert_gt(n, 0);
	cr_assert_leq((size_t)n, strlen(in) + EMIT_EXTRA);
	out[n] = '\0';
	cr_assert_str_eq((char *)out, want);
	cr_assert_eq(emit_response(out, (size_t)n, &p), n);
	cr_assert_eq(emit_response(out, (size_t)n - 1, &p), -EMSGSIZE);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define DATE "Date: today\r\n"

Test(emit, responses)
{
	expect_response(OK "Content-Length: 3\r\nDate: then\r\na: 1\r\nA: 2"
			   "\r\n\r\n",
		false, false, false,
		OK "Content-Length: 3\r\nDate: then\r\na: 1\r\nA: 2\r\n\r\n");
	expect_response("HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n", false,
		false, false,
		"HTTP/1.1 404 \r\nContent-Length: 0\r\n" DATE "\r\n");
	/* What is of one connection. */
	expect_response(OK
		"Connection: X-Mine, Set-Cookie, Content-Length\r\n"
		"X-Mine: 1\r\nSet-Cookie: b\r\nSet-Cookie: c\r\n"
		"Keep-Alive: timeout=5\r\nTrailer: x\r\nUpgrade: h2c\r\n"
		"Content-Length: 3\r\n\r\n",
		false, false, false,
		OK "Set-Cookie: b\r\nSet-Cookie: c\r\nContent-Length: 3"
		   "\r\n" DATE "\r\n");
	/* What the visitor hears of its own. */
	expect_response(OK "\r\n", false, false, true,
		OK DATE "Connection: close\r\n\r\n");
	expect_response(OK "Content-Length: 1\r\n\r\n", false, true, false,
		OK "Content-Length: 1\r\n" DATE
		   "Connection: keep-alive\r\n\r\n");
	expect_response(OK "Transfer-Encoding: chunked\r\n\r\n", false, false,
		false, OK DATE "Transfer-Encoding: chunked\r\n\r\n");
	expect_response(OK "Transfer-Encoding: chunked\r\n\r\n", false, true,
		true, OK DATE "Connection: close\r\n\r\n");
}

Test(emit, responses_without_a_body)
{
	expect_response("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", false,
		false, false, "HTTP/1.1 204 No\r\n" DATE "\r\n");
	expect_response("HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", false,
		false, false,
		"HTTP/1.1 304 No\r\nContent-Length: 3\r\n" DATE "\r\n");
	expect_response(OK "Content-Length: 9\r\n\r\n", true, false, false,
		OK "Content-Length: 9\r\n" DATE "\r\n");
	expect_response("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", false, false,
		false, "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
	expect_response("HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nX: y\r\n\r\n",
		false, false, false,
		"HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\nX: y\r\n"
		"Connection: Upgrade\r\n\r\n");
	expect_response("HTTP/1.1 426 Up\r\nUpgrade: websocket\r\n"
			"Content-Length: 0\r\n\r\n",
		false, false, true,
		"HTTP/1.1 426 Up\r\nUpgrade: websocket\r\n"
		"Content-Length: 0\r\n" DATE
		"Connection: Upgrade, close\r\n\r\n");
}

Test(emit, mended_responses)
{
	expect_response("HTTP/1.1 200\nA : b\r\n c\nContent-Length: 3\r\n"
			"content-length: 3\r\n\r\n",
		false, false, false,
		"HTTP/1.1 200 \r\nA: b   c\r\nContent-Length: 3\r\n" DATE
		"\r\n");
	expect_response(OK "Transfer-Encoding: identity\r\nContent-Length: 3"
			   "\r\n\r\n",
		false, false, false, OK "Content-Length: 3\r\n" DATE "\r\n");
}

Test(emit, fields_that_are_set)
{
	static const struct emit_field v[] = { { "A", "ours" },
		{ "X-Forwarded-Proto", "https" }, { "Empty", "" },
		{ "X-Remote-User", "guest" } };
	static const struct emit_set set = { v, ARRAY_SIZE(v) };
	/* Some services take `_` for `-`. */
	const char *text = "GET / HTTP/1.1\r\nHost: a:80\r\na: theirs\r\nB: c"
			   "\r\nA: again\r\nX_Remote_User: admin\r\n"
			   "x-remote_user: admin\r\nX_Remote: d\r\n\r\n";
	struct http_framing framing;
	struct http_target target;
	struct http_head head;
	const uint8_t *data = request_parse(&head, text);
	struct emit_params p = { .head = &head,
		.data = data,
		.target = &target,
		.framing = &framing,
		.peer = "192.0.2.1",
		.rewrite = "inner",
		.set = &set };
	char out[1000];
	ssize_t n;

	cr_assert_eq(target_authority(&target, &head, data), 0);
	cr_assert_eq(framing_request(&framing, &head, data), 0);
	n = emit_request((uint8_t *)out, sizeof(out), &p);
	out[n] = '\0';
	cr_assert_str_eq(out,
		"GET / HTTP/1.1\r\nHost: inner\r\nB: c\r\nX_Remote: d\r\n"
		"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a:80\r\n"
		"A: ours\r\nX-Forwarded-Proto: https\r\nEmpty: \r\n"
		"X-Remote-User: guest\r\n\r\n");
	cr_assert_leq((size_t)n, strlen(text) + EMIT_EXTRA +
					 emit_set_size(&set) + strlen("inner"));
}

Test(emit, fields_that_are_set_in_responses)
{
	static const struct emit_field v[] = { { "server", "ours" },
		{ "Date", "never" } };
	static const struct emit_set set = { v, ARRAY_SIZE(v) };
	const char *text = OK "Server: x\r\nB: c\r\nContent-Length: 1\r\n\r\n";
	const uint8_t *data = (const uint8_t *)text;
	struct http_framing framing;
	struct http_head head;
	struct emit_response_params p = { .head = &head,
		.data = data,
		.framing = &framing,
		.date = "today",
		.set = &set };
	char out[1000];
	ssize_t n;

	head_init_response(&head);
	cr_assert_gt(head_parse(&head, data, strlen(text)), 0);
	cr_assert_eq(framing_response(&framing, &head, data, false), 0);
	n = emit_response((uint8_t *)out, sizeof(out), &p);
	out[n] = '\0';
	cr_assert_str_eq(out, OK "B: c\r\nContent-Length: 1\r\n"
				 "server: ours\r\nDate: never\r\n\r\n");
}
