/* SPDX-License-Identifier: Apache-2.0 */

/* BoringSSL's Base64; base64url goes through it four characters at a time. */

#include "common/crypto/base64.h"

#include <openssl/base64.h>
#include <string.h>

/* Three bytes and the characters that they are. */
#define BYTES 3
#define QUAD 4

void base64_encode(char *out, const void *bytes, size_t n)
{
	EVP_EncodeBlock((uint8_t *)out, bytes, n);
}

ssize_t base64_decode(void *out, const void *text, size_t n)
{
	size_t size;

	return EVP_DecodeBase64(out, &size, n, text, n) ? (ssize_t)size : -1;
}

void base64url_encode(char *out, const void *bytes, size_t n)
{
	const uint8_t *in = bytes;
	char quad[QUAD + 1];

	for (size_t at = 0; at < n; at += BYTES) {
		size_t have = n - at < BYTES ? n - at : BYTES;

		EVP_EncodeBlock((uint8_t *)quad, in + at, have);
		for (size_t i = 0; i <= have; i++)
			*out++ = quad[i] == '+'   ? '-'
				 : quad[i] == '/' ? '_'
						  : quad[i];
	}
	*out = '\0';
}

/* At most four characters, padded; -1: not what encoding would write. */
static int decode_quad(uint8_t bytes[static BYTES], const char *text, size_t n)
{
	char quad[QUAD], again[QUAD + 1];
	size_t size;

	memset(quad, '=', sizeof(quad));
	for (size_t i = 0; i < n; i++) {
		if (strchr("+/=", text[i]))
			return -1;
		quad[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	}
	if (!EVP_DecodeBase64(
		    bytes, &size, BYTES, (const uint8_t *)quad, sizeof(quad)))
		return -1;
	/* BoringSSL does not look at the bits that are left over. */
	EVP_EncodeBlock((uint8_t *)again, bytes, size);
	return memcmp(quad, again, sizeof(quad)) == 0 ? (int)size : -1;
}

ssize_t base64url_decode(void *out, const char *text, size_t n)
{
	uint8_t *to = out, bytes[BYTES];

	for (size_t at = 0; at < n; at += QUAD) {
		size_t have = n - at < QUAD ? n - at : QUAD;
		int size = decode_quad(bytes, text + at, have);

		if (size < 0)
			return -1;
		memcpy(to, bytes, (size_t)size);
		to += size;
	}
	return to - (uint8_t *)out;
}
