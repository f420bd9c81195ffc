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
		{ P "Upgrade: h2c\r\nConnection: upgrade" END, 0, false, false,
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
