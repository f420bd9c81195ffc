/* SPDX-License-Identifier: Apache-2.0 */

/* Base64, padded (RFC 4648 section 4). */

#ifndef ADIT_CRYPTO_BASE64_H
#define ADIT_CRYPTO_BASE64_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/compiler.h"

/* What `n` bytes become, with the NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Write BASE64_SIZE(n) characters. */
void base64_encode(char *out, const void *bytes, size_t n);

/*
 * Decode `n` characters into out, of as many bytes at least. How many bytes
 * they are, or -1: they are no Base64.
 */
ssize_t base64_decode(void *out, const void *text, size_t n) must_check;

#endif
