/* SPDX-License-Identifier: Apache-2.0 */

/* The login key, made and compared. */

#include "common/crypto/login.h"

#include <inttypes.h>
#include <openssl/md5.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <string.h>

/* So many blocks are hashed for any token and time of at most MOST bytes. */
#define BLOCKS 4
#define MOST (BLOCKS * MD5_CBLOCK - 9)

/*
 * MD5 of the first n bytes, at most MOST, behind which all are 0: as many
 * steps whatever n is, as the length of a secret is a part of it. Padding and
 * state are those of RFC 1321, sections 3.1 to 3.5.
 */
static void hash_evenly(uint32_t digest[static 4],
	uint8_t text[static BLOCKS * MD5_CBLOCK], size_t n)
{
	size_t last = (n + 8) / MD5_CBLOCK;
	uint8_t *bits = text + (last + 1) * MD5_CBLOCK - 8;
	MD5_CTX md5;

	text[n] = 0x80;
	bits[0] = (uint8_t)(n << 3);
	bits[1] = (uint8_t)(n >> 5);
	MD5_Init(&md5);
	for (size_t i = 0; i < BLOCKS; i++) {
		uint32_t mask = -(uint32_t)(i == last);

		MD5_Transform(&md5, text + i * MD5_CBLOCK);
		for (size_t k = 0; k < 4; k++)
			digest[k] |= md5.h[k] & mask;
	}
	OPENSSL_cleanse(&md5, sizeof(md5));
}

/* The same for what is longer. */
static void hash_long(
	uint32_t digest[static 4], const char *token, const char *decimal)
{
	uint8_t bytes[MD5_DIGEST_LENGTH];
	MD5_CTX md5;

	MD5_Init(&md5);
	MD5_Update(&md5, token, strlen(token));
	MD5_Update(&md5, decimal, strlen(decimal));
	MD5_Final(bytes, &md5);
	for (size_t i = 0; i < sizeof(bytes); i++)
		digest[i / 4] |= (uint32_t)bytes[i] << 8 * (i % 4);
	OPENSSL_cleanse(&md5, sizeof(md5));
}

void login_key(
	char out[static LOGIN_KEY_SIZE], const char *token, int64_t timestamp)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t text[BLOCKS * MD5_CBLOCK] = { 0 };
	uint32_t digest[4] = { 0 };
	char decimal[24];
	size_t n = strlen(token);
	size_t more = (size_t)snprintf(
		decimal, sizeof(decimal), "%" PRId64, timestamp);

	if (n + more <= MOST) {
		memcpy(text, token, n);
		memcpy(text + n, decimal, more);
		hash_evenly(digest, text, n + more);
	} else {
		hash_long(digest, token, decimal);
	}
	for (size_t i = 0; i < MD5_DIGEST_LENGTH; i++) {
		uint32_t byte = digest[i / 4] >> 8 * (i % 4);

		out[2 * i] = digits[byte >> 4 & 15];
		out[2 * i + 1] = digits[byte & 15];
	}
	out[LOGIN_KEY_SIZE - 1] = '\0';
	OPENSSL_cleanse(text, sizeof(text));
}

bool login_key_verify(const char *key, const char *token, int64_t timestamp)
{
	char right[LOGIN_KEY_SIZE];

	login_key(right, token, timestamp);
	return strlen(key) == LOGIN_KEY_SIZE - 1 &&
	       CRYPTO_memcmp(key, right, LOGIN_KEY_SIZE - 1) == 0;
}
