/* SPDX-License-Identifier: Apache-2.0 */

/* The control cipher: frp's known answers, streams in pieces. */
// links: common/crypto/cipher.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/cipher.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_hex(const uint8_t *data, size_t n, const char *want)
{
	char have[512];

	cr_assert_lt(2 * n, sizeof(have));
	have[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(have + 2 * i, 3, "%02x", data[i]);
	cr_assert_str_eq(have, want);
}

static void fill_iv(uint8_t iv[CIPHER_IV_SIZE], uint8_t from)
{
	for (int i = 0; i < CIPHER_IV_SIZE; i++)
		iv[i] = (uint8_t)(from + i);
}

Test(cipher, keys)
{
	struct cipher_key key;

	cipher_key_derive(&key, "12345678");
	expect_hex(key.bytes, 16, "b7eac3f66310824c114f56f8274fdfea");
	cipher_key_derive(&key, "");
	expect_hex(key.bytes, 16, "cdc9dc4c472c37331281df4c232a8407");
}

/* The server's first messages: one stream, the IV before the first only. */
Test(cipher, server_messages)
{
	static const uint8_t request[] = "r\0\0\0\0\0\0\0\2{}";
	static const uint8_t pong[] = "4\0\0\0\0\0\0\0\2{}";
	uint8_t iv[CIPHER_IV_SIZE], out[64];
	struct cipher_key key;
	struct cipher c;
	size_t n;

	fill_iv(iv, 0);
	cipher_key_derive(&key, "12345678");
	cipher_init_seal_iv(&c, &key, iv);
	n = cipher_seal(&c, request, 11, out);
	expect_hex(out, n,
		"000102030405060708090a0b0c0d0e0f5e98a24026e4cf47613434");
	n = cipher_seal(&c, pong, 11, out);
	expect_hex(out, n, "ea3402bd6e9c748e08a532");
}

Test(cipher, client_message)
{
	static const uint8_t frame[] =
		"p\0\0\0\0\0\0\0\072{\"proxy_name\":\"ssh\",\"proxy_type\":"
		"\"tcp\",\"remote_port\":6000}";
	uint8_t iv[CIPHER_IV_SIZE], out[128];
	struct cipher_key key;
	struct cipher c;

	cr_assert_eq(sizeof(frame) - 1, 67);
	fill_iv(iv, 0x10);
	cipher_key_derive(&key, "12345678");
	cipher_init_seal_iv(&c, &key, iv);
	expect_hex(out, cipher_seal(&c, frame, 67, out),
		"101112131415161718191a1b1c1d1e1f"
		"442852c231c457aa40d0dae72f0759ee"
		"8342af40e010ed0d404b1be69cf614ec"
		"0422b1fc521fec0167f8eb90da4072c7"
		"d6c303c5120f989877da56df515fa09a"
		"c8b8e6");
}

/* Whatever the pieces on either side, the stream is the same. */
Test(cipher, pieces)
{
	enum {
		SIZE = 100000
	};
	uint8_t *plain = malloc(SIZE), *wire = malloc(SIZE + CIPHER_IV_SIZE);
	size_t sealed = 0, opened = 0, wired = 0;
	struct cipher seal, open;
	struct cipher_key key;

	srand(7);
	for (size_t i = 0; i < SIZE; i++)
		plain[i] = (uint8_t)rand();
	cipher_key_derive(&key, "token");
	cipher_init_seal(&seal, &key);
	cipher_init_open(&open, &key);
	while (sealed < SIZE) {
		size_t n = 1 + (size_t)rand() % 100;

		n = n < SIZE - sealed ? n : SIZE - sealed;
		wired += cipher_seal(&seal, plain + sealed, n, wire + wired);
		sealed += n;
	}
	cr_assert_eq(wired, SIZE + CIPHER_IV_SIZE);
	for (size_t at = 0; at < wired;) {
		size_t n = 1 + (size_t)rand() % 100;
		uint8_t piece[100];

		n = n < wired - at ? n : wired - at;
		memcpy(piece, wire + at, n);
		at += n;
		n = cipher_open(&open, piece, n);
		cr_assert(memcmp(piece, plain + opened, n) == 0);
		opened += n;
	}
	cr_assert_eq(opened, SIZE);
	free(plain);
	free(wire);
}

Test(cipher, ivs_differ_and_wiping_forgets)
{
	static const struct cipher zero;
	uint8_t a[17], b[17];
	struct cipher_key key;
	struct cipher c;

	cipher_key_derive(&key, "token");
	cipher_init_seal(&c, &key);
	cr_assert_eq(cipher_seal(&c, (const uint8_t *)"x", 1, a), 17);
	cipher_init_seal(&c, &key);
	cr_assert_eq(cipher_seal(&c, (const uint8_t *)"x", 1, b), 17);
	cr_assert(memcmp(a, b, CIPHER_IV_SIZE) != 0);
	cipher_wipe(&c);
	cr_assert(memcmp(&c, &zero, sizeof(c)) == 0);
}
