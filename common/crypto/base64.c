/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/base64.h"

#include <openssl/base64.h>

void base64_encode(char *out, const void *bytes, size_t n)
{
	EVP_EncodeBlock((uint8_t *)out, bytes, n);
}
