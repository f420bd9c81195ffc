/* SPDX-License-Identifier: Apache-2.0 */

/* Body, expectation, upgrade and close: the request corpus. */
// links: common/http/framing.c common/http/head.c common/http/text.c

#include "common/http/framing.h"

#include <stdio.h>

#include "tests/unit/request.h"

#define P "POST / HTTP/1.1\r\n"
#define P0 "POST / HTTP/1.0\r\n"
#define CL "Content-Length: "
#define TE "Transfer-Encoding: "
#define END "\r\n\r\n"

Test(framing, bodies)
{
	static const struct {
		const char *head;
		int result;
		enum framing_body body;
		uint64_t length;
	} rows[] = {
		{ P "\r\n", 0, FRAMING_NONE, 0 },
		{ P CL "0" END, 0, FRAMING_LENGTH, 0 },
		{ P CL " \t 5 \t" END, 0, FRAMING_LENGTH, 5 },
		{ P CL "9223372036854775807" END, 0, FRAMING_LENGTH,
			INT64_MAX },
		{ P0 CL "5" END, 0, FRAMING_LENGTH, 5 },
		{ P TE "chunked" END, 0, FRAMING_CHUNKED, 0 },
		{ P TE "Chunked \t" END, 0, FRAMING_CHUNKED, 0 },
		{ .head = P CL END, .result = -400 },
		{ .head = P CL "+5" END, .result = -400 },
		{ .head = P CL "-0" END, .result = -400 },
		{ .head = P CL "0x5" END, .result = -400 },
		{ .head = P CL "5_0" END, .result = -400 },
		{ .head = P CL "5 5" END, .result = -400 },
		{ .head = P CL "5, 5" END, .result = -400 },
		{ .head = P CL "1e1" END, .result = -400 },
		{ .head = P CL "00005" END, .result = -400 },
		{ .head = P CL "5\xa0" END, .result = -400 },
		{ .head = P CL "9223372036854775808" END, .result = -400 },
		{ .head = P CL "18446744073709551621" END, .result = -400 },
		{ .head = P CL "99999999999999999999999" END, .result = -400 },
		{ .head = P CL "5\r\n" CL "5" END, .result = -400 },
		{ .head = P CL "5\r\n" CL "6" END, .result = -400 },
		{ .head = P CL "5\r\n" TE "chunked" END, .result = -400 },
		{ .head = P TE "chunked\r\ncontent-length: 5" END,
			.result = -400 },
		{ .head = P TE "chunked\r\n" TE "chunked" END, .result = -400 },
		{ .head = P TE "chunked, chunked" END, .result = -400 },
		{ .head = P TE ",chunked" END, .result = -400 },
		{ .head = P TE "chunked," END, .result = -400 },
		{ .head = P TE END, .result = -400 },
		{ .head = P TE "identity" END, .result = -400 },
		{ .head = P TE "xchunked" END, .result = -400 },
		{ .head = P TE "chunked;a" END, .result = -400 },
		{ .head = P TE "gzip" END, .result = -400 },
		{ .head = P TE "chunked, gzip" END, .result = -400 },
		{ .head = P TE "chunked\xff" END, .result = -400 },
		{ .head = P TE "gzip, chunked" END, .result = -501 },
		{ .head = P0 TE "chunked" END, .result = -400 },
		{ .head = P "Transfer_Encoding: chunked" END, .result = -400 },
		{ .head = P "content_length: 5" END, .result = -400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_framing f;
		struct http_head head;
		const uint8_t *data = request_parse(&head, rows[i].head);

		cr_assert_eq(framing_request(&f, &head, data), rows[i].result,
			"%s", rows[i].head);
		if (rows[i].result < 0) {
			cr_assert_not_null(f.error);
			continue;
		}
		cr_assert_eq(f.body, rows[i].body);
		cr_assert_eq(f.length, rows[i].length);
	}
}

Test(framing, expect_upgrade_close)
{
	static const struct {
		const char *head;
		int result;
		bool expect, upgrade, close;
	} rows[] = {
		{ P CL "5\r\nExpect: 100-Continue" END, 0, true, false, false },
		{ P TE "chunked\r\nExpect: 100-continue" END, 0, true, false,
			false },
		{ P "Expect: 100-continue" END, 0, false, false, false },
		{ P CL "0\r\nExpect: 100-continue" END, 0, false, false,
			false },
		{ P0 CL "5\r\nExpect: 100-continue" END, 0, false, false,
			true },
		{ .head = P "Expect: x" END, .result = -417 },
		{ .head = P "Expect:" END, .result = -417 },
		{ .head = P "Expect: y 100-continue" END, .result = -417 },
		{ .head = P "Expect: 100-continue\r\nExpect: 100-continue" END,
			.result = -417 },
		{ P "Upgrade: h2c, WebSocket\r\nConnection: a, upgrade" END, 0,
			false, true, false },
		{ P "Upgrade: websocket" END, 0, false, false, false },
		{ P "Connection: upgrade" END, 0, false, false, false },
		/* Whether the protocol may pass is upgrade.h's to say. */
		{ P "Upgrade: h2c\r\nConnection: upgrade" END, 0, false, true,
			false },
		{ P CL "1\r\nUpgrade: websocket\r\nConnection: upgrade" END, 0,
			false, false, false },
		{ P0 "Upgrade: websocket\r\nConnection: upgrade" END, 0, false,
			false, true },
		{ P "Connection: x\r\nConnection: , Close" END, 0, false, false,
			true },
		{ P0 "\r\n", 0, false, false, true },
		{ P0 "Connection: keep-alive" END, 0, false, false, false },
		{ .head = P "Connection: a b" END, .result = -400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_framing f;
		struct http_head head;
		const uint8_t *data = request_parse(&head, rows[i].head);

		cr_assert_eq(framing_request(&f, &head, data), rows[i].result,
			"%s", rows[i].head);
		if (rows[i].result < 0)
			continue;
		cr_assert_eq(f.expect, rows[i].expect, "%s", rows[i].head);
		cr_assert_eq(f.upgrade, rows[i].upgrade, "%s", rows[i].head);
		cr_assert_eq(f.close, rows[i].close, "%s", rows[i].head);
	}
}

Test(framing, too_many_options)
{
	char text[1000];
	int n = sprintf(text, P "Connection: a");
	struct http_framing f;
	struct http_head head;
	const uint8_t *data;

	for (int i = 1; i < HTTP_OPTIONS_MAX; i++)
		n += sprintf(text + n, ",a");
	strcpy(text + n, END);
	data = request_parse(&head, text);
	cr_assert_eq(framing_request(&f, &head, data), 0);
	strcpy(text + n, ",a" END);
	data = request_parse(&head, text);
	cr_assert_eq(framing_request(&f, &head, data), -400);
}

#define R "HTTP/1.1 200 OK\r\n"
#define R0 "HTTP/1.0 200 OK\r\n"

Test(framing, responses)
{
	static const struct {
		const char *head;
		bool head_request;
		int result;
		enum framing_body body;
		uint64_t length;
		bool close, repaired;
	} rows[] = {
		{ R CL "5" END, false, 0, FRAMING_LENGTH, 5, false, false },
		{ R TE "chunked" END, false, 0, FRAMING_CHUNKED, 0, false,
			false },
		{ R "\r\n", false, 0, FRAMING_CLOSE, 0, true, false },
		{ R "Connection: close\r\n" CL "5" END, false, 0,
			FRAMING_LENGTH, 5, true, false },
		{ R0 CL "5" END, false, 0, FRAMING_LENGTH, 5, true, false },
		{ R0 "Connection: keep-alive\r\n" CL "5" END, false, 0,
			FRAMING_LENGTH, 5, false, false },
		{ R CL "5\r\n" CL "5" END, false, 0, FRAMING_LENGTH, 5, false,
			true },
		{ R TE "identity" END, false, 0, FRAMING_CLOSE, 0, true, true },
		{ R TE "identity\r\n" CL "5" END, false, 0, FRAMING_LENGTH, 5,
			false, true },
		{ R CL "5" END, true, 0, FRAMING_NONE, 0, false, false },
		{ R TE "chunked" END, true, 0, FRAMING_NONE, 0, false, false },
		{ R "\r\n", true, 0, FRAMING_NONE, 0, false, false },
		{ "HTTP/1.1 204 N\r\n" CL "5" END, false, 0, FRAMING_NONE, 0,
			false, false },
		{ "HTTP/1.1 304 N\r\n" CL "5" END, false, 0, FRAMING_NONE, 0,
			false, false },
		{ "HTTP/1.0 304 N" END, false, 0, FRAMING_NONE, 0, true,
			false },
		{ "HTTP/1.0 304 N\r\nConnection: keep-alive" END, false, 0,
			FRAMING_NONE, 0, false, false },
		{ "HTTP/1.1 100 C" END, false, 0, FRAMING_NONE, 0, false,
			false },
		{ "HTTP/1.1 200\r\n" CL "5" END, false, 0, FRAMING_LENGTH, 5,
			false, true },
		{ .head = R CL "5\r\n" CL "6" END, .result = -502 },
		{ .head = R CL "5, 5" END, .result = -502 },
		{ .head = R CL "-5" END, .result = -502 },
		{ .head = R CL "9223372036854775808" END, .result = -502 },
		{ .head = R CL "5\r\n" TE "chunked" END, .result = -502 },
		{ .head = R TE "gzip, chunked" END, .result = -502 },
		{ .head = R TE "gzip" END, .result = -502 },
		{ .head = R TE "chunked, identity" END, .result = -502 },
		{ .head = R TE "identity, chunked" END, .result = -502 },
		{ .head = R TE "identity\r\n" TE "identity" END,
			.result = -502 },
		{ .head = R0 TE "chunked" END, .result = -502 },
		{ .head = R "Content_Length: 5" END, .result = -502 },
		{ .head = R "Connection: a b" END, .result = -502 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *data = (const uint8_t *)rows[i].head;
		struct http_framing f;
		struct http_head head;

		head_init_response(&head);
		cr_assert_gt(head_parse(&head, data, strlen(rows[i].head)), 0,
			"%s", rows[i].head);
		cr_assert_eq(
			framing_response(&f, &head, data, rows[i].head_request),
			rows[i].result, "%s", rows[i].head);
		if (rows[i].result < 0)
			continue;
		cr_assert_eq(f.body, rows[i].body, "%s", rows[i].head);
		cr_assert_eq(f.length, rows[i].length, "%s", rows[i].head);
		cr_assert_eq(f.close, rows[i].close, "%s", rows[i].head);
		cr_assert_eq(f.repaired, rows[i].repaired, "%s", rows[i].head);
	}
}

Test(framing, who_is_authenticated)
{
	static const struct {
		const char *field;
		bool pinned;
	} rows[] = {
		{ "WWW-Authenticate: NTLM", true },
		{ "WWW-Authenticate: Negotiate abc", true },
		{ "Proxy-Authenticate: ntlm", true },
		{ "WWW-Authenticate: Basic realm=x", false },
		{ "Authorization: NTLM abc", true },
		{ "Authorization: Bearer Negotiate", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_framing f;
		struct http_head head;
		char text[200];
		const uint8_t *data = (const uint8_t *)text;

		sprintf(text, R "%s" END, rows[i].field);
		head_init_response(&head);
		cr_assert_gt(head_parse(&head, data, strlen(text)), 0);
		cr_assert_eq(framing_response(&f, &head, data, false), 0);
		cr_assert_eq(f.pinned, rows[i].pinned, "%s", text);
		sprintf(text, P "%s" END, rows[i].field);
		request_parse(&head, text);
		cr_assert_eq(framing_request(&f, &head, data), 0);
		cr_assert_eq(f.pinned, rows[i].pinned, "%s", text);
	}
}

Test(framing, how_long_a_service_keeps_it)
{
	static const struct {
		const char *field;
		uint32_t keeps_s;
	} rows[] = {
		{ "Keep-Alive: timeout=5", 5 },
		{ "Keep-Alive: timeout=5, max=100", 5 },
		{ "keep-alive: max=100, Timeout=60", 60 },
		{ "Keep-Alive: timeout=4294967295", UINT32_MAX },
		{ "Keep-Alive: timeout=4294967297", 0 },
		{ "Keep-Alive: timeout=", 0 },
		{ "Keep-Alive: timeout=x", 0 },
		{ "Keep-Alive: timeout", 0 },
		{ "Keep-Alive: timeouts5", 0 },
		{ "Keep-Alive: max=100", 0 },
		{ "Keep-Alive: 5", 0 },
		{ "Keeps: timeout=5", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_framing f;
		struct http_head head;
		char text[200];
		const uint8_t *data = (const uint8_t *)text;

		sprintf(text, R "%s" END, rows[i].field);
		head_init_response(&head);
		cr_assert_gt(head_parse(&head, data, strlen(text)), 0);
		cr_assert_eq(framing_response(&f, &head, data, false), 0);
		cr_assert_eq(f.keeps_s, rows[i].keeps_s, "%s", text);
	}
}

Test(framing, switches)
{
	static const struct {
		const char *head;
		bool upgrade;
	} rows[] = {
		{ "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n"
		  "Connection: Upgrade" END,
			true },
		{ "HTTP/1.1 101 S\r\nUpgrade: websocket" END, false },
		{ "HTTP/1.1 101 S\r\nConnection: Upgrade" END, false },
		{ "HTTP/1.1 101 S" END, false },
		{ "HTTP/1.0 101 S\r\nUpgrade: websocket\r\n"
		  "Connection: Upgrade" END,
			false },
		{ R "Upgrade: websocket\r\nConnection: Upgrade" END, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *data = (const uint8_t *)rows[i].head;
		struct http_framing f;
		struct http_head head;

		head_init_response(&head);
		cr_assert_gt(head_parse(&head, data, strlen(rows[i].head)), 0);
		cr_assert_eq(framing_response(&f, &head, data, false), 0);
		cr_assert_eq(f.upgrade, rows[i].upgrade, "%s", rows[i].head);
	}
}
