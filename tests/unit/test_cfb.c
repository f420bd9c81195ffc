/* SPDX-License-Identifier: Apache-2.0 */

/* frp's stream cipher as a layer: known answers, pieces, ends. */
// links: common/crypto/cfb.c common/crypto/cipher.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/cfb.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/transform.h"

static struct transform *with_iv(const char *token, const char *iv)
{
	struct cipher_key key;
	uint8_t bytes[CIPHER_IV_SIZE];
	struct transform *t;

	cipher_key_derive(&key, token);
	if (iv)
		cr_assert_eq(from_hex(iv, bytes), CIPHER_IV_SIZE);
	t = cfb_new(&key, iv ? bytes : NULL);
	cr_assert_not_null(t);
	return t;
}

#define IV "000102030405060708090a0b0c0d0e0f"

/* frp's own: a control's two messages, and a compressed "hello". */
static const struct {
	const char *iv, *plain, *wire;
} vectors[] = {
	{ IV, "72 0000000000000002 7b7d 34 0000000000000002 7b7d",
		IV "5e98a24026e4cf47613434 ea3402bd6e9c748e08a532" },
	{ "101112131415161718191a1b1c1d1e1f",
		"70 000000000000003a 7b2270726f78795f6e616d65223a22737368222c"
		"2270726f78795f74797065223a22746370222c2272656d6f74655f706f"
		"7274223a363030307d",
		"101112131415161718191a1b1c1d1e1f"
		"442852c231c457aa40d0dae72f0759ee8342af40e010ed0d404b1be69cf6"
		"14ec0422b1fc521fec0167f8eb90da4072c7d6c303c5120f989877da56df"
		"515fa09ac8b8e6" },
	{ IV, "ff060000734e61507059 01090000bb1f1c19 68656c6c6f",
		IV "d39ea24055aaae17131648d73402067142467056025187" },
};

/* Sealed in any pieces, opened in any pieces, into any room. */
Test(cfb, known_answers)
{
	uint8_t plain[128], wire[128], out[256];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		size_t n = from_hex(vectors[i].plain, plain);
		size_t w = from_hex(vectors[i].wire, wire);

		cr_assert_eq(w, n + CIPHER_IV_SIZE);
		for (size_t piece = 1; piece <= w; piece++) {
			struct transform *t =
				with_iv("12345678", vectors[i].iv);
			size_t room = 1 + piece / 2;

			cr_assert_eq(seal_all(t, plain, n, piece, out,
					     room + CIPHER_IV_SIZE),
				w);
			cr_assert_eq(memcmp(out, wire, w), 0);
			transform_free(&t);
			t = with_iv("12345678", NULL);
			cr_assert_eq(open_all(t, wire, w, piece, out, room),
				(ssize_t)n);
			cr_assert_eq(memcmp(out, plain, n), 0);
			cr_assert_eq(t->ops->below_ended(t), 0);
			transform_free(&t);
		}
	}
}

Test(cfb, nothing_before_its_time)
{
	struct transform *t = with_iv("", NULL), *u = with_iv("", NULL);
	uint8_t wire[2][64], out[8];
	size_t n = 0;

	cr_assert_not(t->shaking || t->has_words);
	cr_assert_null(t->ops->finish);
	cr_assert_eq(t->ops->seal(t, NULL, &n, out, sizeof(out)), 0);
	/* No room for the IV and a byte. */
	n = 3;
	cr_assert_eq(t->ops->seal(t, out, &n, wire[0], CIPHER_IV_SIZE), 0);
	cr_assert_eq(n, 0);
	cr_assert_eq(seal_all(t, "abc", 3, 3, wire[0], 64), 19);
	cr_assert_eq(seal_all(u, "abc", 3, 3, wire[1], 64), 19);
	cr_assert_neq(memcmp(wire[0], wire[1], CIPHER_IV_SIZE), 0);
	/* An end in the IV is a cut. */
	cr_assert_eq(u->ops->below_ended(u), 0);
	cr_assert_eq(open_all(u, wire[0], 7, 7, out, 8), 0);
	cr_assert_eq(u->ops->below_ended(u), -ECONNRESET);
	cr_assert_eq(open_all(u, wire[0] + 7, 12, 12, out, 8), 3);
	cr_assert_eq(memcmp(out, "abc", 3), 0);
	cr_assert_eq(u->ops->below_ended(u), 0);
	transform_free(&t);
	transform_free(&u);
}
