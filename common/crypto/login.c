/* SPDX-License-Identifier: Apache-2.0 */

/* The login key, made and compared. */

#include "common/crypto/login.h"

#include <inttypes.h>
#include <openssl/md5.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <string.h>

void login_key(
	char out[static LOGIN_KEY_SIZE], const char *token, int64_t timestamp)
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	char decimal[24];
	MD5_CTX md5;
	int n = snprintf(decimal, sizeof(decimal), "%" PRId64, timestamp);

	MD5_Init(&md5);
	MD5_Update(&md5, token, strlen(token));
	MD5_Update(&md5, decimal, (size_t)n);
	MD5_Final(digest, &md5);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	OPENSSL_cleanse(&md5, sizeof(md5));
}

bool login_key_verify(const char *key, const char *token, int64_t timestamp)
{
	char right[LOGIN_KEY_SIZE];

	login_key(right, token, timestamp);
	return strlen(key) == LOGIN_KEY_SIZE - 1 &&
	       CRYPTO_memcmp(key, right, LOGIN_KEY_SIZE - 1) == 0;
}
