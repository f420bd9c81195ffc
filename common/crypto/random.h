/* SPDX-License-Identifier: Apache-2.0 */

/* Random bytes that nobody can guess. Any thread. */

#ifndef ADIT_CRYPTO_RANDOM_H
#define ADIT_CRYPTO_RANDOM_H

#include <stddef.h>

/* Fill `size` bytes. */
void random_bytes(void *out, size_t size);

/* Write `bytes` random bytes as lower-case hex and a NUL: 2 * bytes + 1. */
void random_hex(char *out, size_t bytes);

#endif
