/* SPDX-License-Identifier: Apache-2.0 */

/* WebSocket as a layer: handshakes, frames in any pieces, what is refused. */
// links: common/wire/websocket.c common/wire/handshake.c common/crypto/websocket_key.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/wire/websocket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/crypto/random.h"
#include "common/crypto/websocket_key.h"
#include "tests/unit/transform.h"

/* The key of RFC 6455 section 1.3, and its mask of section 5.7. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void sample_random(void *out, size_t size)
{
	cr_assert_eq(size, 4);
	memcpy(out, "\x37\xfa\x21\x3d", 4);
}

static void sample_key(char out[static WEBSOCKET_KEY_SIZE])
{
	memcpy(out, KEY, WEBSOCKET_KEY_SIZE);
}

static const struct websocket_means means = { sample_random, sample_key,
	websocket_key_accept };

#define FIELDS(upgrade, connection, key, version)                            \
	"Host: a.example\r\nUpgrade: " upgrade "\r\nConnection: " connection \
	"\r\nSec-WebSocket-Key: " key                                        \
	"\r\nOrigin: http://a.example\r\nSec-WebSocket-Version: " version    \
	"\r\n"
#define USUAL FIELDS("websocket", "Upgrade", KEY, "13")
#define REQUEST "GET /~!frp HTTP/1.1\r\n" USUAL "\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define ANSWER                                                 \
	SWITCH "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	       "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n"

static uint8_t out[4096];

#define opens(t, bytes, piece) \
	open_all(t, bytes, sizeof(bytes) - 1, piece, out, 64)

/* What it has to say is exactly this. */
#define says(t, bytes)                                                       \
	do {                                                                 \
		cr_assert((t)->has_words);                                   \
		cr_assert_eq(seal_all(t, NULL, 0, 0, out, 400),              \
			sizeof(bytes) - 1, "%s", (char *)out);               \
		cr_assert_eq(memcmp(out, bytes, sizeof(bytes) - 1), 0, "%s", \
			(char *)out);                                        \
		cr_assert_not((t)->has_words);                               \
	} while (0)

/* One whose handshake is done. */
static struct transform *server(void)
{
	struct transform *t = websocket_serve(&means);

	cr_assert_eq(opens(t, REQUEST, 500), 0);
	says(t, ANSWER);
	return t;
}

static struct transform *client(void)
{
	struct transform *t = websocket_call(&means, "a.example");

	says(t, REQUEST);
	cr_assert_eq(opens(t, ANSWER, 500), 0);
	return t;
}

Test(websocket, keys)
{
	char accept[WEBSOCKET_ACCEPT_SIZE], keys[2][WEBSOCKET_KEY_SIZE];

	websocket_key_accept(accept, KEY);
	cr_assert_str_eq(accept, ACCEPT);
	websocket_key_make(keys[0]);
	websocket_key_make(keys[1]);
	cr_assert_eq(strlen(keys[0]), 24);
	cr_assert_str_neq(keys[0], keys[1]);
}

/* --- the handshake --- */

/* A frame may follow the request at once. */
Test(websocket, served)
{
	static const char bytes[] =
		REQUEST "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		struct transform *t = websocket_serve(&means);

		cr_assert(t->shaking);
		cr_assert_not(t->has_words);
		cr_assert_eq(t->ops->below_ended(t), -ECONNRESET);
		cr_assert_eq(opens(t, bytes, piece), 5);
		cr_assert_eq(memcmp(out, "Hello", 5), 0);
		cr_assert_not(t->shaking);
		cr_assert_eq(t->ops->below_ended(t), -ECONNRESET);
		says(t, ANSWER);
		transform_free(&t);
	}
}

Test(websocket, called)
{
	static const char bytes[] = ANSWER "\x82\x05Hello";

	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		struct transform *t = websocket_call(&means, "a.example");

		cr_assert(t->shaking);
		cr_assert_eq(seal_all(t, NULL, 0, 0, out, piece),
			sizeof(REQUEST) - 1);
		cr_assert_eq(memcmp(out, REQUEST, sizeof(REQUEST) - 1), 0);
		cr_assert_eq(opens(t, bytes, piece), 5);
		cr_assert_eq(memcmp(out, "Hello", 5), 0);
		cr_assert_not(t->shaking || t->has_words);
		transform_free(&t);
	}
}

Test(websocket, requests)
{
	static const struct {
		const char *request;
		char answer; /* 0: 400, 1: 101, 4: 404 */
	} rows[] = {
		{ REQUEST, 1 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS(
			  "WebSocket", "keep-alive, upgrade", KEY, "13") "\r\n",
			1 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("h2c , websocket", "Upgrade",
			  KEY, "13") "Content-Length: 0\r\n"
				     "Connection: x\r\n\r\n",
			1 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("\twebsocket \t",
			  " \tUpgrade\t", KEY, "13") "a: b\tc\r\n\r\n",
			1 },
		{ "GET / HTTP/1.1\r\n" USUAL "\r\n", 4 },
		{ "GET /~!frp/ HTTP/1.1\r\n" USUAL "\r\n", 4 },
		{ "GET /~!FRP HTTP/1.1\r\n" USUAL "\r\n", 4 },
		{ "POST /~!frp HTTP/1.1\r\n" USUAL "\r\n", 0 },
		{ "GET /~!frp HTTP/1.0\r\n" USUAL "\r\n", 0 },
		{ "GET  /~!frp HTTP/1.1\r\n" USUAL "\r\n", 0 },
		{ "GET /~!frp\r\n" USUAL "\r\n", 0 },
		{ "GET  HTTP/1.1\r\n" USUAL "\r\n", 0 },
		{ "G(T / HTTP/1.1\r\n" USUAL "\r\n", 0 },
		{ "\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "Host: b\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "Sec-WebSocket-Key: " KEY
		  "\r\n\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL
		  "Transfer-Encoding: chunked\r\n\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "Content-Length: 1\r\n\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL " folded\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "no colon\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a : b\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL ": b\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a: \1\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a: \x7f\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a\x7f: b\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a(: b\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL "a: bc\nd: e\r\n\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" USUAL
		  "Sec-WebSocket-Version: 13\r\n\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\n" USUAL "\r\n", 0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS(
			  "websockets", "Upgrade", KEY, "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS(
			  "websocket", "close", KEY, "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS(
			  "websocket", "Upgrade", KEY, "8") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("websocket", "Upgrade",
			  "dGhlIHNhbXBsZSBub25jZR==", "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("websocket", "Upgrade",
			  "dGhlIHNhbXBsZSBub25j", "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("websocket", "Upgrade",
			  "dGhlIHNhbXBsZSBub25jZQ=x", "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("websocket", "Upgrade",
			  "dGhlIHNhbXBsZSBub25jZQ===", "13") "\r\n",
			0 },
		{ "GET /~!frp HTTP/1.1\r\n" FIELDS("websocket", "Upgrade",
			  "dGhlIHNhbXBsZSBub2!jZQ==", "13") "\r\n",
			0 },
	};
	static const char *const answers[] = { "HTTP/1.1 400 Bad Request\r\n",
		SWITCH, "", "", "HTTP/1.1 404 Not Found\r\n" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t size = strlen(rows[i].request);
		const char *want = answers[(int)rows[i].answer];

		for (size_t piece = 1; piece <= size; piece += 7) {
			struct transform *t = websocket_serve(&means);

			cr_assert_eq(open_all(t, rows[i].request, size, piece,
					     out, 64),
				rows[i].answer == 1 ? 0 : -EPROTO, "%s",
				rows[i].request);
			cr_assert_eq(t->shaking, rows[i].answer != 1);
			cr_assert_eq(!t->trouble, rows[i].answer == 1);
			cr_assert_gt(seal_all(t, NULL, 0, 0, out, 400), 0);
			cr_assert_eq(memcmp(out, want, strlen(want)), 0, "%s",
				rows[i].request);
			transform_free(&t);
		}
	}
}

#define GIVEN(upgrade, connection, accept)                \
	"Upgrade: " upgrade "\r\nConnection: " connection \
	"\r\nSec-WebSocket-Accept: " accept "\r\n"

Test(websocket, answers)
{
	static const struct {
		const char *answer, *trouble;
	} rows[] = {
		{ ANSWER, NULL },
		{ SWITCH GIVEN("WEBSOCKET", "upgrade", ACCEPT) "a: b\r\n\r\n",
			NULL },
		{ "HTTP/1.1 101\r\n" GIVEN(
			  "websocket", "upgrade", ACCEPT) "\r\n",
			NULL },
		{ "SSH-2.0-x\r\n\r\n", "the server's answer is no HTTP" },
		{ "HTTP/1.1 404 Not Found\r\n\r\n",
			"the server did not switch to WebSocket" },
		{ "HTTP/1.0 101 x\r\n" GIVEN(
			  "websocket", "Upgrade", ACCEPT) "\r\n",
			"the server's answer is no HTTP" },
		{ "HTTP/1.1 1010 x\r\n" GIVEN(
			  "websocket", "Upgrade", ACCEPT) "\r\n",
			"the server's answer is no HTTP" },
		{ SWITCH "\r\n", "the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  ACCEPT) "Upgrade: websocket\r\n\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  ACCEPT) "Connection: Upgrade\r\n\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  ACCEPT) "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN(
			  "websocket", "keep-alive, Upgrade", ACCEPT) "\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  ACCEPT) "Sec-WebSocket-Extensions: x\r\n\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  ACCEPT) "Sec-WebSocket-Protocol: x\r\n\r\n",
			"the server's WebSocket handshake is wrong" },
		{ SWITCH GIVEN("websocket", "Upgrade",
			  "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=") "\r\n",
			"the server's WebSocket handshake is another one's" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct transform *t = websocket_call(&means, "a.example:7000");

		seal_all(t, NULL, 0, 0, out, 400);
		cr_assert_eq(open_all(t, rows[i].answer, strlen(rows[i].answer),
				     1 + i, out, 64),
			rows[i].trouble ? -EPROTO : 0, "%zu", i);
		if (rows[i].trouble)
			cr_assert_str_eq(t->trouble, rows[i].trouble);
		else
			cr_assert_null(t->trouble);
		cr_assert_not(t->has_words);
		transform_free(&t);
	}
}

Test(websocket, heads_without_an_end)
{
	char head[WEBSOCKET_HEAD_MAX];
	struct transform *t = websocket_serve(&means);
	struct transform *u = websocket_call(&means, "a");

	memset(head, 'a', sizeof(head));
	cr_assert_eq(open_all(t, head, sizeof(head) - 1, 1000, out, 64), 0);
	cr_assert_eq(open_all(t, head, 1, 1, out, 64), -EPROTO);
	cr_assert_eq(seal_all(t, NULL, 0, 0, out, 400), 93);
	cr_assert_eq(open_all(u, head, sizeof(head), 4096, out, 64), -EPROTO);
	cr_assert_str_eq(u->trouble, "the server's answer is too long");
	transform_free(&t);
	transform_free(&u);
	cr_assert_null(websocket_call(&means, ""));
	cr_assert_null(websocket_call(&means, "a\r\nb: c"));
	cr_assert_null(websocket_call(&means, "a/b"));
	cr_assert_null(websocket_call(&means, "a b"));
	cr_assert_null(websocket_call(&means, "a\x7f"));
}

Test(websocket, the_longest_host)
{
	char host[WEBSOCKET_HOST_MAX + 2];
	struct transform *t;

	memset(host, '~', sizeof(host));
	host[WEBSOCKET_HOST_MAX + 1] = '\0';
	cr_assert_null(websocket_call(&means, host));
	host[WEBSOCKET_HOST_MAX] = '\0';
	t = websocket_call(&means, host);
	cr_assert_not_null(t);
	cr_assert_gt(seal_all(t, NULL, 0, 0, out, sizeof(out)),
		2 * WEBSOCKET_HOST_MAX);
	transform_free(&t);
}

/* --- frames --- */

/* RFC 6455 section 5.7, and what follows from it. */
Test(websocket, frames_that_come)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *data;
		bool ended;
	} rows[] = {
#define ROW(bytes, data, ended) { bytes, sizeof(bytes) - 1, data, ended }
		ROW("\x81\x05Hello", "Hello", false),
		ROW("\x01\x03Hel\x80\x02lo", "Hello", false),
		ROW("\x02\x00\x00\x01H\x8a\x02zz\x00\x00\x80\x01i", "Hi",
			false),
		ROW("\x82\x00\x8a\x00\x82\x01!", "!", false),
		ROW("\x82\x01!\x88\x00junk", "!", true),
		ROW("\x88\x02\x03\xe8", "", true),
		ROW("\x88\x02\x03\xf6", "", true),
		ROW("\x88\x02\x13\x87", "", true),
		ROW("\x02\x01!\x88\x05\x0b\xb8xyz", "!", true),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t piece = 1; piece <= rows[i].size; piece++)
			for (size_t room = 1; room < 10; room++) {
				struct transform *t = client();

				cr_assert_eq(
					open_all(t, rows[i].bytes, rows[i].size,
						piece, out, room),
					(ssize_t)strlen(rows[i].data));
				cr_assert_eq(memcmp(out, rows[i].data,
						     strlen(rows[i].data)),
					0);
				cr_assert_eq(t->ended, rows[i].ended);
				cr_assert_eq(t->ops->below_ended(t),
					rows[i].ended ? 0 : -ECONNRESET);
				cr_assert_not(t->has_words);
				transform_free(&t);
			}
}

/* Long ones stream through, whatever they say that they are. */
Test(websocket, lengths)
{
	static const char huge[] = "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"
				   "abc";
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536,
		100000 };
	uint8_t *in = malloc(200000), *wire = malloc(200000),
		*back = malloc(200000);
	struct transform *t = client(), *u = server();

	for (size_t i = 0; i < 200000; i++)
		in[i] = (uint8_t)(i * 7 + i / 255);
	for (size_t i = 1; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t n = sizes[i], w;

		w = seal_all(t, in, n, n, wire, n + t->overhead);
		cr_assert_eq(w, n + 4 + (n < 126 ? 2 : n < 65536 ? 4 : 10));
		cr_assert_eq(open_all(u, wire, w, 1000, back, 77), (ssize_t)n);
		cr_assert_eq(memcmp(in, back, n), 0);
		w = seal_all(u, in, n, n, wire, n + t->overhead);
		cr_assert_eq(w, n + (n < 126 ? 2 : n < 65536 ? 4 : 10));
		cr_assert_eq(open_all(t, wire, w, 1001, back, 78), (ssize_t)n);
		cr_assert_eq(memcmp(in, back, n), 0);
	}
	/* Less room: more frames. */
	cr_assert_eq(seal_all(t, in, 1000, 1000, wire, 14 + 10), 100 * 16);
	cr_assert_eq(opens(t, huge, 2), 3);
	transform_free(&t);
	transform_free(&u);
	free(in);
	free(wire);
	free(back);
}

/* The mask of the RFC: "Hello" and a Close as a client sends them. */
Test(websocket, masked)
{
	struct transform *t = client();

	cr_assert_eq(seal_all(t, "Hello", 5, 5, out, 400), 11);
	cr_assert_eq(
		memcmp(out, "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11),
		0);
	t->ops->finish(t);
	says(t, "\x88\x82\x37\xfa\x21\x3d\x34\x12");
	transform_free(&t);
}

Test(websocket, pings_are_answered_once)
{
	static const uint8_t none[5];
	struct transform *t = client();
	size_t n = 5;

	cr_assert_eq(opens(t, "\x89\x02yo", 1), 0);
	says(t, "\x8a\x82\x37\xfa\x21\x3d\x4e\x95");
	/* Only the last of several, and not after our Close. */
	cr_assert_eq(opens(t, "\x89\x00\x82\x01!\x89\x01y", 3), 1);
	cr_assert_eq(t->ops->seal(t, none, &n, out, 14), 0);
	cr_assert_eq(n, 0);
	t->ops->finish(t);
	says(t, "\x8a\x81\x37\xfa\x21\x3d\x4e\x88\x82\x37\xfa\x21\x3d\x34\x12");
	cr_assert_eq(opens(t, "\x89\x00\x82\x01!\x88\x00", 3), 1);
	cr_assert_not(t->has_words);
	transform_free(&t);
	t = server();
	cr_assert_eq(opens(t, "\x89\x81\x01\x02\x03\x04x", 1), 0);
	says(t, "\x8a\x01y");
	transform_free(&t);
}

Test(websocket, the_longest_ping)
{
	uint8_t ping[2 + 125] = { 0x89, 125 };
	struct transform *t = client();

	cr_assert_eq(open_all(t, ping, sizeof(ping), 50, out, 64), 0);
	cr_assert_eq(seal_all(t, NULL, 0, 0, out, 400), 2 + 4 + 125);
	cr_assert_eq(out[1], 0x80 + 125);
	transform_free(&t);
}

/* A pong goes before the data that is sealed with it. */
Test(websocket, words_and_data_in_one)
{
	struct transform *t = server();
	size_t n = 3;

	cr_assert_eq(opens(t, "\x89\x80\x01\x02\x03\x04", 6), 0);
	cr_assert_eq(t->ops->seal(t, (const uint8_t *)"abc", &n, out,
			     3 + t->overhead),
		7);
	cr_assert_eq(memcmp(out,
			     "\x8a\x00\x82\x03"
			     "abc",
			     7),
		0);
	cr_assert_eq(n, 3);
	transform_free(&t);
}

/* Its Close is answered by ours when we end, too. */
Test(websocket, half_closed)
{
	struct transform *t = server();

	cr_assert_eq(opens(t, "\x88\x80\x01\x02\x03\x04", 6), 0);
	cr_assert(t->ended);
	cr_assert_eq(t->ops->below_ended(t), 0);
	cr_assert_eq(seal_all(t, "abc", 3, 3, out, 400), 5);
	t->ops->finish(t);
	says(t, "\x88\x02\x03\xe8");
	transform_free(&t);
}

Test(websocket, frames_that_are_refused)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *trouble;
	} rows[] = {
#define BAD(bytes, trouble) { bytes, sizeof(bytes) - 1, trouble }
		BAD("\xc2\x00", "a WebSocket frame with reserved bits"),
		BAD("\x92\x00", "a WebSocket frame with reserved bits"),
		BAD("\x82\x80\x01\x02\x03\x04",
			"a WebSocket frame with a mask"),
		BAD("\x82\x7e\x00\x7d", "a WebSocket frame of a wrong length"),
		BAD("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff",
			"a WebSocket frame of a wrong length"),
		BAD("\x82\x7f\x80\x00\x00\x00\x00\x01\x00\x00",
			"a WebSocket frame of a wrong length"),
		BAD("\x83\x00", "a WebSocket frame out of order"),
		BAD("\x80\x00", "a WebSocket frame out of order"),
		BAD("\x02\x00\x82\x00", "a WebSocket frame out of order"),
		BAD("\x02\x00\x80\x00\x80\x00",
			"a WebSocket frame out of order"),
		BAD("\x8b\x00", "a WebSocket control frame that is none"),
		BAD("\x09\x00", "a WebSocket control frame that is none"),
		BAD("\x89\x7e\x00\x7e",
			"a WebSocket control frame that is none"),
		BAD("\x88\x01x", "a WebSocket Close that is none"),
		BAD("\x88\x02\x03\xe7", "a WebSocket Close that is none"),
		BAD("\x88\x02\x03\xec", "a WebSocket Close that is none"),
		BAD("\x88\x02\x03\xed", "a WebSocket Close that is none"),
		BAD("\x88\x02\x03\xee", "a WebSocket Close that is none"),
		BAD("\x88\x02\x03\xf7", "a WebSocket Close that is none"),
		BAD("\x88\x02\x0b\xb7", "a WebSocket Close that is none"),
		BAD("\x88\x02\x13\x88", "a WebSocket Close that is none"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t piece = 1; piece <= rows[i].size; piece++) {
			struct transform *t = client();

			cr_assert_eq(open_all(t, rows[i].bytes, rows[i].size,
					     piece, out, 64),
				-EPROTO, "%zu", i);
			cr_assert_str_eq(t->trouble, rows[i].trouble);
			/* 1002, masked. */
			says(t, "\x88\x82\x37\xfa\x21\x3d\x34\x10");
			transform_free(&t);
		}
}

Test(websocket, a_server_wants_masks)
{
	struct transform *t = server();

	cr_assert_eq(opens(t, "\x82\x05Hello", 7), -EPROTO);
	cr_assert_str_eq(t->trouble, "a WebSocket frame without a mask");
	says(t, "\x88\x02\x03\xea");
	transform_free(&t);
}

/* With real keys and masks. */
Test(websocket, each_other)
{
	static const struct websocket_means real = { random_bytes,
		websocket_key_make, websocket_key_accept };
	struct transform *t = websocket_call(&real, "[::1]:7000");
	struct transform *u = websocket_serve(&real);
	uint8_t wire[1000];
	size_t n = seal_all(t, NULL, 0, 0, wire, 1000);

	cr_assert_eq(open_all(u, wire, n, n, out, 64), 0);
	n = seal_all(u, "hello", 5, 5, wire, 1000);
	cr_assert_eq(open_all(t, wire, n, n, out, 64), 5);
	cr_assert_eq(memcmp(out, "hello", 5), 0);
	n = seal_all(t, "world", 5, 5, wire, 1000);
	cr_assert_neq(memcmp(wire + 6, "world", 5), 0);
	cr_assert_eq(open_all(u, wire, n, n, out, 64), 5);
	cr_assert_eq(memcmp(out, "world", 5), 0);
	transform_free(&t);
	transform_free(&u);
}
