/* SPDX-License-Identifier: Apache-2.0 */

/* What a watch tells of conversations, in whatever pieces they come. */
// links: common/http/watch.c common/http/head.c common/http/framing.c common/http/chunked.c common/http/text.c

#include "common/http/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static struct watch w;
static char told[4096];

static void done(struct watch *v, const struct watch_exchange *e)
{
	size_t n = strlen(told);
	int shown = e->target_len < WATCH_TARGET ? e->target_len : 16;

	cr_assert_eq(v, &w);
	cr_assert_leq(e->began, e->ended);
	snprintf(told + n, sizeof(told) - n, "%.*s %.*s %u", e->method_len,
		e->method, shown, e->target, e->status);
	n = strlen(told);
	if (e->cut)
		snprintf(told + n, sizeof(told) - n, " cut;");
	else
		snprintf(told + n, sizeof(told) - n, " %llu/%llu;",
			(unsigned long long)e->in, (unsigned long long)e->out);
}

/* A direction; its bytes are copied, so that nothing beyond them is read. */
struct side {
	struct watch_step (*look)(struct watch *w, const uint8_t *bytes,
		size_t size, int64_t now);
	uint64_t skip;
	size_t looked; /* bytes that were shown to it */
};

static void show(struct side *s, const char *text, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	size_t at = 0;

	memcpy(copy, text, size);
	while (at < size) {
		size_t n = size - at;
		struct watch_step step = { s->skip, true };

		if (s->skip == 0) {
			step = s->look(&w, copy + at, n, 7);
			s->looked += step.count < n ? step.count : n;
		}
		if (step.count == 0) {
			cr_assert_not_null(w.stopped);
			break;
		}
		if (step.skip)
			s->skip = step.count;
		n = n < step.count ? n : step.count;
		if (step.skip)
			s->skip -= n;
		at += n;
	}
	free(copy);
}

static struct side out, back;

static void begin(void)
{
	memset(&w, 0, sizeof(w));
	told[0] = '\0';
	out = (struct side){ .look = watch_request };
	back = (struct side){ .look = watch_response };
	watch_init(&w, done);
}

static void end(bool clean)
{
	watch_end(&w, clean, 9);
}

static void show_cut(struct side *s, const char *text, size_t at)
{
	size_t size = strlen(text);

	show(s, text, at);
	show(s, text + at, size - at);
}

static void show_bytes(struct side *s, const char *text)
{
	for (; *text; text++)
		show(s, text, 1);
}

static const struct {
	const char *out, *back, *told;
	bool cut, stops;
} rows[] = {
	{ GET("/"), OK LENGTH(5) "\r\nhello", "GET / 200 0/5;", false, false },
	{ GET("/"), OK LENGTH(0) "\r\n", "GET / 200 0/0;", false, false },
	{ GET("/"), OK LENGTH(1) "\r\nx", "GET / 200 0/1;", false, false },
	/* one after another, and pipelined: it is the same here */
	{ GET("/a") GET("/b?c=d"),
		OK LENGTH(2) "\r\nab"
			     "HTTP/1.1 404 Not Found\r\n" LENGTH(3) "\r\nabc",
		"GET /a 200 0/2;GET /b?c=d 404 0/3;", false, false },
	{ "POST /p HTTP/1.1\r\n" LENGTH(4) "\r\nbody" GET("/q"),
		OK LENGTH(2) "\r\nokHTTP/1.1 204 None\r\n\r\n",
		"POST /p 200 4/2;GET /q 204 0/0;", false, false },
	/* no body, whatever the length says */
	{ "HEAD / HTTP/1.1\r\n\r\n" GET("/"),
		OK LENGTH(500) "\r\n"
			       "HTTP/1.1 304 Not Modified\r\n" LENGTH(9) "\r\n",
		"HEAD / 200 0/0;GET / 304 0/0;", false, false },
	/* chunks, with an extension and a trailer */
	{ "PUT /c HTTP/1.1\r\n" CHUNKED
	  "\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n" GET("/d"),
		OK CHUNKED
		"\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n" OK LENGTH(
			1) "\r\nx",
		"PUT /c 200 4/6;GET /d 200 0/1;", false, false },
	/* interim responses */
	{ "POST / HTTP/1.1\r\nExpect: 100-continue\r\n" LENGTH(1) "\r\nx",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
		"Link: x\r\n\r\n" OK LENGTH(2) "\r\nok",
		"POST / 200 1/2;", false, false },
	/* until the end */
	{ GET("/"), "HTTP/1.0 200 OK\r\n\r\nall of it", "GET / 200 0/9;", false,
		false },
	{ GET("/"), "HTTP/1.0 200 OK\r\n\r\nall of it", "GET / 200 cut;", true,
		false },
	/* not finished */
	{ GET("/a"), "", "GET /a 0 cut;", false, false },
	{ GET("/a"), "HTTP/1.1 200", "GET /a 0 cut;", true, false },
	{ GET("/a"), OK LENGTH(5) "\r\nhell", "GET /a 200 cut;", true, false },
	{ GET("/a"), OK CHUNKED "\r\n5\r\nhello\r\n0\r\n", "GET /a 200 cut;",
		true, false },
	/* other protocols */
	{ GET("/ws"),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n\r\n\x81\x05hello",
		"GET /ws 101 0/0;", false, true },
	{ "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n"
	  "Connection: Upgrade\r\n\r\n\x81\x85 frames \r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n\r\n\x81\x05hello",
		"GET /ws 101 0/0;", false, true },
	{ "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
		OK LENGTH(2) "\r\nno", "GET /ws 200 0/2;", false, false },
	{ "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" GET("/b"),
		OK LENGTH(2) "\r\nno", "", false, true },
	{ "CONNECT a:1 HTTP/1.1\r\n\r\n", OK "\r\nanything",
		"CONNECT a:1 200 0/0;", false, true },
	{ "CONNECT a:1 HTTP/1.1\r\n\r\n",
		"HTTP/1.1 403 No\r\n" LENGTH(2) "\r\nno",
		"CONNECT a:1 403 0/2;", false, false },
	/* garbage */
	{ GET("/"), "SSH-2.0-x\r\n", "", false, true },
	{ GET("/"), OK LENGTH(2) "\r\nabHTTP/1.1 200 OK\r\n\r\n",
		"GET / 200 0/2;", false, true },
	{ GET("/"), OK LENGTH(x) "\r\n", "", false, true },
	{ GET("/"), OK CHUNKED "\r\nz\r\n", "", false, true },
	{ "\x16\x03\x01", OK LENGTH(0) "\r\n", "", false, true },
	{ "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"", "", false, true },
};

static void check(size_t row, const char *how)
{
	end(!rows[row].cut);
	cr_assert_str_eq(told, rows[row].told, "row %zu, %s", row, how);
	cr_assert_eq(!!w.stopped, rows[row].stops, "row %zu, %s", row, how);
	cr_assert_eq(w.count, 0);
}

Test(watch, conversations)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		show(&out, rows[i].out, strlen(rows[i].out));
		show(&back, rows[i].back, strlen(rows[i].back));
		check(i, "whole");
		begin();
		show_bytes(&out, rows[i].out);
		show_bytes(&back, rows[i].back);
		check(i, "bytes");
	}
}

Test(watch, conversations_cut_anywhere)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t at = 0; at <= strlen(rows[i].out); at++) {
			begin();
			show_cut(&out, rows[i].out, at);
			show(&back, rows[i].back, strlen(rows[i].back));
			check(i, "request cut");
		}
		for (size_t at = 0; at <= strlen(rows[i].back); at++) {
			begin();
			show(&out, rows[i].out, strlen(rows[i].out));
			show_cut(&back, rows[i].back, at);
			check(i, "response cut");
		}
	}
}

/* Of a long body only the end is looked at, and that tells when it came. */
Test(watch, long_bodies_are_skipped)
{
	static char body[100000];
	static const char head[] = OK LENGTH(100000) "\r\n";

	begin();
	memset(body, 'x', sizeof(body));
	show(&out, GET("/"), strlen(GET("/")));
	show(&back, head, strlen(head));
	show(&back, body, 50000);
	show(&back, body, 49999);
	cr_assert_str_eq(told, "");
	show(&back, body, 1);
	cr_assert_str_eq(told, "GET / 200 0/100000;");
	/* The head, the step that says so, and the last byte. */
	cr_assert_leq(back.looked, strlen(head) + 50001);
	end(true);
}

/* The answer is there before the body of its request is. */
Test(watch, early_response)
{
	const char *head = "POST /up HTTP/1.1\r\n" LENGTH(10) "\r\n12345";

	begin();
	show(&out, head, strlen(head));
	show(&back, "HTTP/1.1 413 No\r\n" LENGTH(0) "\r\n",
		strlen("HTTP/1.1 413 No\r\n" LENGTH(0) "\r\n"));
	cr_assert_str_eq(told, "POST /up 413 10/0;");
	cr_assert_eq(w.count, 0);
	show(&out, "67890" GET("/next"), 5 + strlen(GET("/next")));
	cr_assert_eq(w.count, 1);
	show(&back, OK LENGTH(1) "\r\nx", strlen(OK LENGTH(1) "\r\nx"));
	cr_assert_str_eq(told, "POST /up 413 10/0;GET /next 200 0/1;");
	end(true);
}

Test(watch, too_many_at_once)
{
	begin();
	for (int i = 0; i < WATCH_PENDING; i++)
		show(&out, GET("/"), strlen(GET("/")));
	cr_assert_eq(w.count, WATCH_PENDING);
	show(&out, GET("/"), strlen(GET("/")));
	cr_assert_not_null(w.stopped);
	cr_assert_eq(w.count, 0);
	end(true);
	cr_assert_str_eq(told, "");
}

/* A ring of exchanges goes round. */
Test(watch, many_in_turn)
{
	begin();
	for (int i = 0; i < 3 * WATCH_PENDING + 1; i++) {
		show(&out, GET("/"), strlen(GET("/")));
		show(&out, GET("/"), strlen(GET("/")));
		for (int k = 0; k < 2; k++) {
			told[0] = '\0';
			show(&back, OK LENGTH(1) "\r\nx",
				strlen(OK LENGTH(1) "\r\nx"));
			cr_assert_str_eq(told, "GET / 200 0/1;");
		}
	}
	cr_assert_eq(w.count, 0);
	end(true);
}

Test(watch, long_targets_are_kept_in_part)
{
	char text[2000];

	begin();
	snprintf(text, sizeof(text), "GET /%01000d HTTP/1.1\r\n\r\n", 7);
	show_bytes(&out, text);
	cr_assert_eq(w.pending[0].target_len, 1001);
	show(&back, OK LENGTH(0) "\r\n", strlen(OK LENGTH(0) "\r\n"));
	cr_assert_str_eq(told, "GET /000000000000000 200 0/0;");
	end(true);
}

/* A head that does not end is not gathered for ever. */
Test(watch, endless_heads)
{
	static char text[2 * HTTP_RESPONSE_MAX];

	begin();
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	for (size_t at = 0; at < sizeof(text); at += 1000)
		show(&out, text + at,
			sizeof(text) - at < 1000 ? sizeof(text) - at : 1000);
	cr_assert_not_null(w.stopped);
	end(true);
	begin();
	show(&out, GET("/"), strlen(GET("/")));
	memcpy(text, OK "A: ", strlen(OK "A: "));
	show(&back, text, HTTP_RESPONSE_MAX);
	show(&back, text, HTTP_RESPONSE_MAX);
	cr_assert_not_null(w.stopped);
	end(true);
}
