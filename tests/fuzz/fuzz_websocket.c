/* SPDX-License-Identifier: Apache-2.0 */

/*
 * WebSocket from both ends: one piece or many open to the same, and say the
 * same. The first byte says who reads, whether its handshake is done already,
 * and how large the pieces are.
 */

#include <errno.h>
#include <string.h>

#include "common/wire/websocket.h"
#include "tests/fuzz/fuzz.h"

#define OUT 65536

static const char request[] =
	"GET /~!frp HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
static const char answer[] =
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	"Connection: Upgrade\r\n"
	"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";

static void no_random(void *out, size_t size)
{
	memset(out, 0x5a, size);
}

static void one_key(char out[static WEBSOCKET_KEY_SIZE])
{
	memcpy(out, "AAAAAAAAAAAAAAAAAAAAAA==", WEBSOCKET_KEY_SIZE);
}

static void one_accept(char out[static WEBSOCKET_ACCEPT_SIZE], const char *key)
{
	must(strlen(key) == WEBSOCKET_KEY_SIZE - 1);
	memcpy(out, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", WEBSOCKET_ACCEPT_SIZE);
}

static const struct websocket_means means = { no_random, one_key, one_accept };

/* What one of them has read, and said. */
struct end {
	struct transform *t;
	uint8_t opened[OUT], said[1024];
	size_t opened_size, said_size;
	bool failed;
};

static void say(struct end *e)
{
	while (e->t->has_words) {
		size_t n = 0;
		ssize_t rc = e->t->ops->seal(e->t, NULL, &n, e->said, 300);

		must(rc > 0 && rc <= 300);
		e->said_size = (size_t)rc;
	}
}

static void begin(struct end *e, bool client, bool shaken)
{
	const char *head = client ? answer : request;
	size_t n = client ? sizeof(answer) - 1 : sizeof(request) - 1;

	memset(e, 0, sizeof(*e));
	e->t = client ? websocket_call(&means, "a") : websocket_serve(&means);
	must(e->t);
	say(e);
	if (!shaken)
		return;
	must(e->t->ops->open(e->t, (const uint8_t *)head, &n, e->opened, 1) ==
		0);
	must(!e->t->shaking);
	say(e);
	e->said_size = 0;
}

static void open_all(struct end *e, const uint8_t *bytes, size_t size,
	size_t piece, size_t room)
{
	size_t at = 0;
	bool more = false;

	while ((at < size || more) && !e->failed) {
		size_t n = piece < size - at ? piece : size - at, k = n;
		uint8_t *in = malloc(n + 1);
		ssize_t rc;

		must(in && e->opened_size + room <= OUT);
		memcpy(in, bytes + at, n);
		rc = e->t->ops->open(
			e->t, in, &k, e->opened + e->opened_size, room);
		free(in);
		e->failed = rc < 0;
		if (rc < 0) {
			must(rc == -EPROTO && e->t->trouble);
			continue;
		}
		must((size_t)rc <= room && k <= n);
		more = (size_t)rc == room;
		must(more || k == n);
		at += k;
		e->opened_size += (size_t)rc;
	}
	must(!e->failed == !e->t->trouble);
	say(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end a, b;
	bool client;

	if (size < 1 || size > 16384)
		return 0;
	client = data[0] & 1;
	begin(&a, client, data[0] & 2);
	begin(&b, client, data[0] & 2);
	open_all(&a, data + 1, size - 1, size, 16384);
	open_all(&b, data + 1, size - 1, 1 + data[0] / 64,
		1 + data[0] / 4 % 16 * 9);
	must(a.failed == b.failed && a.t->ended == b.t->ended);
	must(a.t->shaking == b.t->shaking);
	must(a.failed ? a.opened_size <= b.opened_size
		      : a.opened_size == b.opened_size);
	must(memcmp(a.opened, b.opened, a.opened_size) == 0);
	must(a.said_size == b.said_size);
	must(memcmp(a.said, b.said, a.said_size) == 0);
	transform_free(&a.t);
	transform_free(&b.t);
	return 0;
}
