/* SPDX-License-Identifier: Apache-2.0 */

/* Base64 and base64url: RFC 4648's answers, and what is not canonical. */
// links: common/crypto/base64.c
// libs: boringssl

#include "common/crypto/base64.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static void expect(const char *bytes, size_t n, const char *text)
{
	char have[64];
	uint8_t back[64];

	base64url_encode(have, bytes, n);
	cr_assert_str_eq(have, text);
	cr_assert_eq(strlen(have) + 1, BASE64URL_SIZE(n));
	cr_assert_eq(BASE64URL_BYTES(strlen(text)), n);
	cr_assert_eq(base64url_decode(back, text, strlen(text)), (ssize_t)n);
	cr_assert_eq(memcmp(back, bytes, n), 0);
}

/* RFC 4648 section 10, and the two characters of its own. */
Test(base64, known_answers)
{
	expect("", 0, "");
	expect("f", 1, "Zg");
	expect("fo", 2, "Zm8");
	expect("foo", 3, "Zm9v");
	expect("foob", 4, "Zm9vYg");
	expect("fooba", 5, "Zm9vYmE");
	expect("foobar", 6, "Zm9vYmFy");
	expect("\xfb\xff\xfe", 3, "-__-");
	expect("\xff", 1, "_w");
}

/* Only what encoding writes is read. */
Test(base64, refused)
{
	static const char *const bad[] = { "Zg==", "Zm8=", "Zh", "Zm9", "Z",
		"Zm9vY", "Zm 9v", "Zm9\n", "+__-", "-//-",
		"Zm9v=", "====", "Zm9v\xc3\xa4" };
	uint8_t out[16];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(base64url_decode(out, bad[i], strlen(bad[i])), -1,
			"%s", bad[i]);
	cr_assert_eq(base64url_decode(out, "Zm9\0", 4), -1);
}

Test(base64, padded)
{
	char text[BASE64_SIZE(4)];
	uint8_t out[8];

	base64_encode(text, "foob", 4);
	cr_assert_str_eq(text, "Zm9vYg==");
	cr_assert_eq(base64_decode(out, text, 8), 4);
	cr_assert_eq(base64_decode(out, "Zm9vYg", 6), -1);
}

/* Every text of three characters is refused, or is what it decodes to. */
Test(base64, one_spelling)
{
	for (int i = 0; i < 256 * 256; i++) {
		char text[3] = { 'Q', (char)(i >> 8), (char)i }, again[8];
		uint8_t bytes[3];
		ssize_t n = base64url_decode(bytes, text, 3);

		if (n < 0)
			continue;
		cr_assert_eq(n, 2);
		base64url_encode(again, bytes, 2);
		cr_assert_eq(memcmp(again, text, 3), 0);
	}
}
