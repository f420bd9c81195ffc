/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sealed starts. The known answers were computed with another library
 * (Python's cryptography).
 */
// links: common/crypto/sealed_start.c
// libs: boringssl

#include "common/crypto/sealed_start.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TEXT "{\"proxy_name\":\"web\"}"
#define SIZE (sizeof(TEXT) - 1)

static const uint8_t ticket[TICKET_SIZE] = { 0x74, 0x00, 0x03, 0x01, 0x02, 0x03,
	0x0a, 0x0b, 0x0c, 0x0d, 0x00, 0xff, 0x11, 0x22, 0x33, 0x44 };
static struct session_key session;
static struct start_key key;

static void setup(void)
{
	for (int i = 0; i < SESSION_KEY_SIZE; i++)
		session.bytes[i] = (uint8_t)(0x40 + i);
	start_key_derive(&key, &session, ticket);
}

TestSuite(sealed_start, .init = setup);

static void expect_hex(const uint8_t *data, size_t n, const char *want)
{
	char have[128];

	for (size_t i = 0; i < n; i++)
		snprintf(have + 2 * i, 3, "%02x", data[i]);
	cr_assert_str_eq(have, want);
}

Test(sealed_start, known_answers)
{
	uint8_t box[SIZE + START_SEAL_SIZE];

	expect_hex(key.bytes, sizeof(key.bytes),
		"a30fc1fa27551223500358b06f64ed34"
		"f4dce9a10679ce82639664e564d650a6");
	start_seal(box, &key, 0, TEXT, SIZE);
	expect_hex(box, sizeof(box),
		"78d93e96d23b75ca4e7edad8bfd53d461d9d7f09"
		"b4db911cb282e0cada32ed94aaed3c75");
	start_seal(box, &key, 0x0102, TEXT, SIZE);
	expect_hex(box, sizeof(box),
		"f622782e1fe4c2ca7a6de95e8d32b2d5ee719c4e"
		"375f2c895952f02467a7edd3bbc8d159");
}

Test(sealed_start, opens)
{
	uint8_t box[SIZE + START_SEAL_SIZE], out[sizeof(box)];

	start_seal(box, &key, 7, TEXT, SIZE);
	cr_assert_eq(start_open(out, &key, 7, box, sizeof(box)), (ssize_t)SIZE);
	cr_assert_eq(memcmp(out, TEXT, SIZE), 0);
}

/* Another bit, number, ticket or length. */
Test(sealed_start, refused)
{
	uint8_t box[SIZE + START_SEAL_SIZE], out[sizeof(box)], other[16];
	struct start_key of_other;

	start_seal(box, &key, 7, TEXT, SIZE);
	for (size_t bit = 0; bit < 8 * sizeof(box); bit++) {
		box[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(start_open(out, &key, 7, box, sizeof(box)), -1);
		box[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert_eq(start_open(out, &key, 8, box, sizeof(box)), -1);
	for (size_t n = 0; n < sizeof(box); n++)
		cr_assert_eq(start_open(out, &key, 7, box, n), -1);
	memcpy(other, ticket, sizeof(other));
	other[15] ^= 1;
	start_key_derive(&of_other, &session, other);
	cr_assert_eq(start_open(out, &of_other, 7, box, sizeof(box)), -1);
	/* The ticket is bound as associated data, too. */
	of_other = key;
	of_other.ticket[0] = 'p';
	cr_assert_eq(start_open(out, &of_other, 7, box, sizeof(box)), -1);
}
