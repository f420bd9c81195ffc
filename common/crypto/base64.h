/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Base64 (RFC 4648): padded with the usual alphabet (section 4), and base64url
 * (section 5) without padding.
 */

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

/* What `n` bytes become as base64url, with the NUL, and back. */
#define BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)
#define BASE64URL_BYTES(n) ((n)*3 / 4)

/* Write BASE64URL_SIZE(n) characters. */
void base64url_encode(char *out, const void *bytes, size_t n);

/*
 * Decode `n` characters into out, of BASE64URL_BYTES(n) bytes. How many bytes
 * they are, or -1 for what base64url_encode does not write: other characters,
 * padding, stray bits in the last one.
 */
ssize_t base64url_decode(void *out, const char *text, size_t n) must_check;

#endif
