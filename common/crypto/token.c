/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/token.h"

#include <openssl/mem.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

#include "common/crypto/base64.h"
#include "common/crypto/random.h"

#define PREFIX "adit_"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
#define SECRET 32
#define SECRET_LENGTH (BASE64URL_SIZE(SECRET) - 1)
#define CHECK 4
#define CHECK_LENGTH (BASE64URL_SIZE(CHECK) - 1)
#define LENGTH (PREFIX_LENGTH + SECRET_LENGTH)

_Static_assert(LENGTH + CHECK_LENGTH + 1 == TOKEN_SIZE, "as the header says");

/* The checksum of the text, which has LENGTH characters. */
static void write_check(char out[static CHECK_LENGTH + 1], const char *text)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)text, LENGTH, digest);
	base64url_encode(out, digest, CHECK);
	OPENSSL_cleanse(digest, sizeof(digest));
}

void token_make(char out[static TOKEN_SIZE])
{
	uint8_t secret[SECRET];

	random_bytes(secret, sizeof(secret));
	memcpy(out, PREFIX, PREFIX_LENGTH);
	base64url_encode(out + PREFIX_LENGTH, secret, sizeof(secret));
	write_check(out + LENGTH, out);
	OPENSSL_cleanse(secret, sizeof(secret));
}

const char *token_fault(const char *text, size_t n)
{
	char check[CHECK_LENGTH + 1];
	uint8_t bytes[SECRET];
	const char *fault = NULL;

	if (n < PREFIX_LENGTH || memcmp(text, PREFIX, PREFIX_LENGTH) != 0)
		return "does not begin with " PREFIX;
	if (n < TOKEN_SIZE - 1)
		return "is too short: a part of it is missing";
	if (n > TOKEN_SIZE - 1)
		return "is too long";
	if (base64url_decode(bytes, text + PREFIX_LENGTH, SECRET_LENGTH) < 0)
		fault = "has a character that does not belong there";
	OPENSSL_cleanse(bytes, sizeof(bytes));
	write_check(check, text);
	if (!fault && memcmp(check, text + LENGTH, CHECK_LENGTH) != 0)
		fault = "has a wrong checksum: it was not copied exactly";
	return fault;
}
