/* SPDX-License-Identifier: Apache-2.0 */

/* Base64 (RFC 4648 section 4). */

#ifndef ADIT_CRYPTO_BASE64_H
#define ADIT_CRYPTO_BASE64_H

#include <stddef.h>

/* What `n` bytes become, with the NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Write BASE64_SIZE(n) characters. */
void base64_encode(char *out, const void *bytes, size_t n);

#endif
