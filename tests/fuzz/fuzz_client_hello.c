/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a TLS client says first: in one piece and byte by byte it is the same,
 * and a complete one is the same when its records are cut anew.
 */

#include <string.h>

#include "common/wire/client_hello.h"
#include "tests/fuzz/fuzz.h"

#define HEADER 5

static void same(const struct client_hello *a, const uint8_t *a_data,
	const struct client_hello *b, const uint8_t *b_data)
{
	must(a->naming == b->naming && a->tls13 == b->tls13);
	must(!strcmp(a->name, b->name));
	must(client_hello_offers(a, a_data, "h2") ==
		client_hello_offers(b, b_data, "h2"));
}

static void check(const struct client_hello *h)
{
	size_t n = strlen(h->name);

	must(n < CLIENT_HELLO_NAME_SIZE);
	must((n > 0) == (h->naming == CLIENT_HELLO_NAMED));
	for (size_t i = 0; i < n; i++)
		must(strchr(
			"abcdefghijklmnopqrstuvwxyz0123456789-_.", h->name[i]));
}

/* The message in records of `size` bytes; how many bytes they are. */
static size_t cut_anew(
	uint8_t *out, const uint8_t *data, size_t len, size_t size)
{
	static uint8_t message[CLIENT_HELLO_MESSAGE_MAX];
	size_t n = 0, to = 0;

	for (size_t at = 0; at < len;) {
		size_t k = (size_t)data[at + 3] << 8 | data[at + 4];

		memcpy(message + n, data + at + HEADER, k);
		n += k;
		at += HEADER + k;
	}
	for (size_t at = 0; at < n; at += size) {
		size_t k = n - at < size ? n - at : size;
		const uint8_t header[HEADER] = { 0x16, 3, 3, (uint8_t)(k >> 8),
			(uint8_t)k };

		memcpy(out + to, header, HEADER);
		memcpy(out + to + HEADER, message + at, k);
		to += HEADER + k;
	}
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[CLIENT_HELLO_MESSAGE_MAX * (HEADER + 1)];
	struct client_hello whole = { 0 }, bytes = { 0 }, cut = { 0 };
	enum client_hello_verdict v = client_hello_read(&whole, data, size), b;
	size_t n = 0;

	do
		b = client_hello_read(&bytes, data, ++n);
	while (n < size && b == CLIENT_HELLO_PARTIAL);
	if (size == 0)
		return 0;
	must(v == b);
	if (v == CLIENT_HELLO_PARTIAL)
		must(size < CLIENT_HELLO_MAX);
	if (v != CLIENT_HELLO_COMPLETE)
		return 0;
	check(&whole);
	same(&whole, data, &bytes, data);
	must(n == whole.record);
	n = cut_anew(again, data, n, 1 + data[size - 1]);
	if (n > CLIENT_HELLO_MAX)
		return 0;
	must(client_hello_read(&cut, again, n) == CLIENT_HELLO_COMPLETE);
	same(&whole, data, &cut, again);
	return 0;
}
