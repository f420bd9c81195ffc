/* SPDX-License-Identifier: Apache-2.0 */

/* Lines of the access log, byte by byte; nothing breaks out of its field. */
// links: common/http/access_line.c common/http/access_record.c common/http/head.c common/http/text.c common/http/request_id.c common/base/address.c common/base/reason.c common/base/utf8.c

#include "common/http/access_line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/request.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, and 120 ms */
#define MOMENT (INT64_C(784111777120) * 1000000)

static char out[ACCESS_LINE_MAX + 1];

static struct access_record *record(const char *text, const char *proxy)
{
	struct http_head head;
	const uint8_t *data = text ? request_parse(&head, text) : NULL;
	struct access_record *r =
		access_record_new(text ? &head : NULL, data, proxy);

	cr_assert_not_null(r);
	r->time = MOMENT;
	r->first = -1;
	cr_assert_eq(address_parse(&r->visitor, "192.0.2.7", 4711), 0);
	return r;
}

/* Writes it, and frees the record. */
static const char *line(struct access_record *r, enum access_format format)
{
	struct access_clock clock = { 0 };

	setenv("TZ", "UTC-2", 1);
	tzset();
	out[access_line(out, r, format, &clock)] = '\0';
	free(r);
	return out;
}

static struct access_record *usual(void)
{
	struct access_record *r = record(
		"GET /a?b HTTP/1.1\r\nHost: a.test:80\r\nUser-Agent: curl/8\r\n"
		"Referer: http://b.test/\r\nAccept: */*\r\n\r\n",
		"web");

	r->status = 200;
	r->in = 5;
	r->out = 12;
	r->first = 1200300;
	r->total = INT64_C(61000001000);
	r->id = 0xf3a9;
	r->reason = REASON_done;
	return r;
}

Test(access_line, combined)
{
	cr_assert_str_eq(line(usual(), ACCESS_COMBINED),
		"192.0.2.7 - - [06/Nov/1994:10:49:37 +0200] "
		"\"GET /a?b HTTP/1.1\" 200 12 \"http://b.test/\" \"curl/8\" "
		"host=\"a.test:80\" proxy=\"web\" in=5 first=0.001200 "
		"total=61.000001 id=000000000000f3a9 reason=done\n");
}

Test(access_line, json)
{
	cr_assert_str_eq(line(usual(), ACCESS_JSON),
		"{\"time\":\"1994-11-06T08:49:37.120Z\","
		"\"visitor\":\"192.0.2.7\",\"port\":4711,"
		"\"host\":\"a.test:80\",\"proxy\":\"web\",\"method\":\"GET\","
		"\"target\":\"/a?b\",\"referer\":\"http://b.test/\","
		"\"userAgent\":\"curl/8\",\"protocol\":\"HTTP/1.1\","
		"\"status\":200,\"in\":5,\"bytes\":12,\"first\":0.001200,"
		"\"total\":61.000001,\"id\":\"000000000000f3a9\","
		"\"reason\":\"done\"}\n");
}

Test(access_line, nothing_known)
{
	struct access_record *r = record(NULL, NULL);

	r->reason = REASON_visitor_gone;
	cr_assert_str_eq(line(r, ACCESS_COMBINED),
		"192.0.2.7 - - [06/Nov/1994:10:49:37 +0200] \"-\" - 0 \"-\" "
		"\"-\" host=\"-\" proxy=\"-\" in=0 first=- total=0.000000 "
		"id=0000000000000000 reason=visitor_gone\n");
	r = record(NULL, NULL);
	r->status = 400;
	r->reason = REASON_answered;
	cr_assert_str_eq(line(r, ACCESS_JSON),
		"{\"time\":\"1994-11-06T08:49:37.120Z\","
		"\"visitor\":\"192.0.2.7\",\"port\":4711,\"host\":null,"
		"\"proxy\":null,\"method\":null,\"target\":null,"
		"\"referer\":null,\"userAgent\":null,\"protocol\":null,"
		"\"status\":400,\"in\":0,\"bytes\":0,\"first\":null,"
		"\"total\":0.000000,\"id\":\"0000000000000000\","
		"\"reason\":\"answered\"}\n");
}

#define ODD "a\"b\\c\t\xc3\xa9\xff\xc2\x85\xe2\x82"

Test(access_line, escapes)
{
	const char *text = "GET /\"\\\xc3\xa9 HTTP/1.0\r\n"
			   "User-Agent: " ODD "\r\n\r\n";

	line(record(text, "p\n\x1b\x7f"), ACCESS_COMBINED);
	cr_assert(strstr(out, "\"GET /\\x22\\x5C\\xC3\\xA9 HTTP/1.0\""), "%s",
		out);
	cr_assert(strstr(out, "\"a\\x22b\\x5Cc\\x09\\xC3\\xA9\\xFF\\xC2\\x85"
			      "\\xE2\\x82\""),
		"%s", out);
	cr_assert(strstr(out, "proxy=\"p\\x0A\\x1B\\x7F\""), "%s", out);
	line(record(text, "p\n\x1b\x7f"), ACCESS_JSON);
	cr_assert(strstr(out, "\"/\\\"\\\\\xc3\xa9\""), "%s", out);
	cr_assert(strstr(out, "\"a\\\"b\\\\c\\u0009\xc3\xa9\\u00ff\\u00c2"
			      "\\u0085\\u00e2\\u0082\""),
		"%s", out);
	cr_assert(strstr(out, "\"p\\u000a\\u001b\\u007f\""), "%s", out);
	cr_assert_eq(strchr(out, '\n'), out + strlen(out) - 1);
}

/* The longest of everything, each byte of which has to be escaped. */
Test(access_line, long_texts_are_cut)
{
	static char text[HTTP_HEAD_MAX], proxy[5000];
	struct access_record *r;
	int n = snprintf(text, sizeof(text), "%.32s /",
		"MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM");

	memset(text + n, 0xff, 5000);
	n += 5000;
	n += sprintf(text + n, " HTTP/1.1\r\nHost: ");
	memset(text + n, 0xff, 300);
	n += 300;
	n += sprintf(text + n, "\r\nReferer: ");
	memset(text + n, 0xff, 2000);
	n += 2000;
	n += sprintf(text + n, "\r\nUser-Agent: ");
	memset(text + n, 0xff, 2000);
	n += 2000;
	sprintf(text + n, "\r\n\r\n");
	memset(proxy, 0xff, sizeof(proxy) - 1);
	for (int format = 0; format < 2; format++) {
		r = record(text, proxy);
		r->in = r->out = r->id = UINT64_MAX;
		r->first = r->total = INT64_MAX;
		r->status = UINT16_MAX;
		cr_assert_eq(access_record_size(r), ACCESS_RECORD_MAX);
		for (int i = 0; i < ACCESS_TEXTS; i++)
			cr_assert_gt(r->size[i], 0);
		line(r, (enum access_format)format);
		cr_assert_lt(strlen(out), ACCESS_LINE_MAX);
		cr_assert_eq(out[strlen(out) - 1], '\n');
		cr_assert(strstr(out, "reason"));
	}
}

Test(access_line, the_clock_goes_on)
{
	struct access_clock clock = { 0 };
	static char more[ACCESS_LINE_MAX];
	struct access_record *r = usual();
	size_t n = access_line(out, r, ACCESS_JSON, &clock);

	r->time += INT64_C(880) * 1000000;
	cr_assert_eq(access_line(more, r, ACCESS_JSON, &clock), n);
	cr_assert(
		memcmp(more, "{\"time\":\"1994-11-06T08:49:38.000Z", 33) == 0);
	free(r);
}
