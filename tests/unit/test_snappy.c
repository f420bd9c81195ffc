/* SPDX-License-Identifier: Apache-2.0 */

/* Compression as a layer: vectors made elsewhere, pieces, what is refused. */
// links: common/wire/snappy.c common/wire/crc32c.c
// libs: -lsnappy

#include "common/wire/snappy.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/wire/crc32c.h"
#include "tests/unit/transform.h"

#define PLAIN 65536
#define IDENTIFIER "ff060000734e61507059"
#define HELLO "01090000 bb1f1c19 68656c6c6f"

/* The first is frp's; the others are what tests/peer/snappy.py prints. */
static const struct {
	const char *wire, *text;
	int times;
	const char *tail;
} vectors[] = {
	{ IDENTIFIER HELLO, "hello", 1, "" },
	{ IDENTIFIER "001700005c724175 ac020061fe0100fe0100fe0100fe0100aa0100",
		"a", 300, "" },
	{ IDENTIFIER "00170000549ce981 630c61626364fe04002e04000878797a3e4f00",
		"abcd", 20, "xyzabcdabcdabcdabcd" },
	/* Skipped chunks, an identifier again, an empty chunk. */
	{ IDENTIFIER "80000000 fe030000ffffff" HELLO IDENTIFIER
		     "01040000 d8ea82a2" HELLO,
		"hello", 2, "" },
	{ "", "", 1, "" },
	{ IDENTIFIER, "", 1, "" },
};

static size_t plain_of(size_t i, char *out)
{
	out[0] = '\0';
	for (int k = 0; k < vectors[i].times; k++)
		strcat(out, vectors[i].text);
	return strlen(strcat(out, vectors[i].tail));
}

Test(snappy, vectors_in_any_pieces)
{
	uint8_t wire[256], out[1024];
	char plain[1024];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		size_t n = plain_of(i, plain),
		       w = from_hex(vectors[i].wire, wire);

		for (size_t piece = 1; piece <= w; piece++)
			for (size_t room = 1; room < 400; room += 1 + room) {
				struct transform *t = snappy_new();

				cr_assert_eq(
					open_all(t, wire, w, piece, out, room),
					(ssize_t)n, "%zu", i);
				cr_assert_eq(memcmp(out, plain, n), 0);
				cr_assert_eq(t->ops->below_ended(t), 0);
				transform_free(&t);
			}
	}
}

Test(snappy, refused)
{
	static const struct {
		const char *wire, *trouble;
	} rows[] = {
		{ HELLO, "not Snappy's framing format" },
		{ "80000000", "not Snappy's framing format" },
		{ "ff060000734e61507058", "not Snappy's framing format" },
		{ "ff050000734e615070", "not Snappy's framing format" },
		{ IDENTIFIER "02000000", "a Snappy chunk of an unknown kind" },
		{ IDENTIFIER "7f000000", "a Snappy chunk of an unknown kind" },
		{ IDENTIFIER "01030000", "a Snappy chunk without its CRC" },
		{ IDENTIFIER "01050001", "a Snappy chunk that is too large" },
		{ IDENTIFIER "00ffffff", "a Snappy chunk that is too large" },
		{ IDENTIFIER "01090000 bb1f1c18 68656c6c6f",
			"a Snappy chunk with a wrong CRC" },
		{ IDENTIFIER "01090000 bb1f1c19 68656c6c70",
			"a Snappy chunk with a wrong CRC" },
		{ IDENTIFIER "00040000 00000000",
			"a Snappy chunk that is broken" },
		/* 65,537 bytes. */
		{ IDENTIFIER "00080000 00000000 81800400",
			"a Snappy chunk that is broken" },
		/* A copy from before the first byte. */
		{ IDENTIFIER "00080000 00000000 0401 0100",
			"a Snappy chunk that is broken" },
	};
	uint8_t wire[64], out[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t w = from_hex(rows[i].wire, wire);

		for (size_t piece = 1; piece <= w; piece++) {
			struct transform *t = snappy_new();

			cr_assert_eq(open_all(t, wire, w, piece, out, 64),
				-EPROTO, "%zu", i);
			cr_assert_str_eq(t->trouble, rows[i].trouble);
			transform_free(&t);
		}
	}
}

/* A chunk that is right but for its size: so many zeros, one and copies. */
static size_t zeros_chunk(uint8_t *wire, size_t zeros)
{
	static uint8_t plain[PLAIN + 1];
	size_t n = from_hex(IDENTIFIER "00", wire), length = n;
	uint32_t crc = crc32c(plain, zeros);

	n += 3;
	crc = (crc >> 15 | crc << 17) + 0xa282ead8;
	for (int i = 0; i < 4; i++)
		wire[n++] = (uint8_t)(crc >> 8 * i);
	wire[n++] = (uint8_t)(zeros & 127) | 128;
	wire[n++] = (uint8_t)(zeros >> 7 & 127) | 128;
	wire[n++] = (uint8_t)(zeros >> 14);
	memset(wire + n, 0, 2);
	n += 2;
	for (size_t left = zeros - 1, k; left > 0; left -= k) {
		k = left < 64 ? left : 64;
		wire[n++] = (uint8_t)((k - 1) << 2 | 2);
		wire[n++] = 1;
		wire[n++] = 0;
	}
	for (int i = 0; i < 3; i++)
		wire[length + (size_t)i] = (uint8_t)((n - length - 3) >> 8 * i);
	return n;
}

Test(snappy, the_largest_chunk)
{
	uint8_t wire[4096], *out = malloc(PLAIN + 1);

	for (size_t more = 0; more <= 1; more++) {
		struct transform *t = snappy_new();
		size_t n = zeros_chunk(wire, PLAIN + more);

		cr_assert_eq(open_all(t, wire, n, n, out, PLAIN + 1),
			more ? -EPROTO : PLAIN);
		transform_free(&t);
	}
	free(out);
}

Test(snappy, ends_between_chunks_only)
{
	uint8_t wire[64], out[64];
	size_t w = from_hex(IDENTIFIER HELLO "80020000 0000", wire);

	for (size_t n = 0; n <= w; n++) {
		struct transform *t = snappy_new();
		bool whole = n == 0 || n == 10 || n == 23 || n == w;

		cr_assert_geq(open_all(t, wire, n, 64, out, 64), 0);
		cr_assert_eq(t->ops->below_ended(t), whole ? 0 : -ECONNRESET,
			"%zu", n);
		transform_free(&t);
	}
}

Test(snappy, sealed_as_frp_does)
{
	struct transform *t = snappy_new();
	uint8_t wire[64], out[64];
	size_t w = from_hex(IDENTIFIER HELLO, wire), none = 0;

	cr_assert_not(t->shaking || t->has_words);
	cr_assert_null(t->ops->finish);
	cr_assert_eq(t->ops->seal(t, NULL, &none, out, sizeof(out)), 0);
	cr_assert_eq(seal_all(t, "hello", 5, 5, out, 64), w);
	cr_assert_eq(memcmp(out, wire, w), 0);
	/* The identifier once. */
	cr_assert_eq(seal_all(t, "hello", 5, 5, out, 64), w - 10);
	cr_assert_eq(memcmp(out, wire + 10, w - 10), 0);
	transform_free(&t);
	/* No room for it and a byte. */
	t = snappy_new();
	none = 5;
	cr_assert_eq(t->ops->seal(t, wire, &none, out, 18), 0);
	cr_assert_eq(none, 0);
	cr_assert_eq(seal_all(t, "hello", 5, 5, out, 19), 10 + 9 + 12);
	transform_free(&t);
}

/* What saves less than an eighth is stored. */
Test(snappy, compressed_where_it_is_worth_it)
{
	uint8_t in[1024], out[2048];
	struct transform *t = snappy_new();
	size_t n;

	srand(5);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)rand();
	n = sizeof(in);
	cr_assert_eq(
		t->ops->seal(t, in, &n, out, sizeof(out)), 10 + 8 + sizeof(in));
	cr_assert_eq(out[10], 1);
	memset(in, 0, 100);
	cr_assert_gt(
		t->ops->seal(t, in, &n, out, sizeof(out)), (ssize_t)sizeof(in));
	cr_assert_eq(out[0], 1);
	memset(in, 0, 200);
	cr_assert_lt(
		t->ops->seal(t, in, &n, out, sizeof(out)), (ssize_t)sizeof(in));
	cr_assert_eq(out[0], 0);
	cr_assert_eq(n, sizeof(in));
	transform_free(&t);
}

static void fill(uint8_t *bytes, size_t n, unsigned kind)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = kind == 0   ? 'a'
			   : kind == 1 ? (uint8_t)(i * i >> 7)
				       : (uint8_t)rand();
}

/* There and back, with pieces and rooms of many sizes. */
Test(snappy, there_and_back)
{
	enum {
		SIZE = 66000
	};
	static const size_t sizes[] = { 50, 1000, 16384, 65536, SIZE };
	uint8_t *in = malloc(SIZE), *wire = malloc(4 * SIZE),
		*out = malloc(SIZE);

	for (unsigned i = 0; i < 3 * 5 * 5; i++) {
		struct transform *t = snappy_new(), *u = snappy_new();
		size_t piece = sizes[i / 3 % 5], room = sizes[i / 15], w;

		fill(in, SIZE, i % 3);
		w = seal_all(t, in, SIZE, piece, wire,
			room < 32 ? 32 : room + t->overhead);
		cr_assert_eq(open_all(u, wire, w, room, out, piece), SIZE);
		cr_assert_eq(memcmp(in, out, SIZE), 0);
		cr_assert_eq(u->ops->below_ended(u), 0);
		transform_free(&t);
		transform_free(&u);
	}
	free(in);
	free(wire);
	free(out);
}

Test(snappy, crc32c)
{
	uint8_t bytes[100];

	/* RFC 3720 B.4, and the usual one. */
	memset(bytes, 0, 32);
	cr_assert_eq(crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	cr_assert_eq(crc32c(bytes, 32), 0x62a8ab43);
	cr_assert_eq(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		bytes[n] = (uint8_t)(n * 37);
		cr_assert_eq(crc32c(bytes, n), crc32c_by_table(bytes, n));
		cr_assert_eq(crc32c(bytes + n / 2, n - n / 2),
			crc32c_by_table(bytes + n / 2, n - n / 2));
	}
}
