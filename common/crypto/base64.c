/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/base64.h"

#include <openssl/base64.h>

void base64_encode(char *out, const void *bytes, size_t n)
{
	EVP_EncodeBlock((uint8_t *)out, bytes, n);
}

ssize_t base64_decode(void *out, const void *text, size_t n)
{
	size_t size;

	return EVP_DecodeBase64(out, &size, n, text, n) ? (ssize_t)size : -1;
}
