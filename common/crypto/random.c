/* SPDX-License-Identifier: Apache-2.0 */

/* BoringSSL's generator, which aborts rather than fail. */

#include "common/crypto/random.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>

void random_bytes(void *out, size_t size)
{
	RAND_bytes(out, size);
}

void random_hex(char *out, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t byte;

		random_bytes(&byte, 1);
		snprintf(out + 2 * i, 3, "%02x", byte);
	}
}
