/* SPDX-License-Identifier: Apache-2.0 */

/* CRC-32C (Castagnoli; RFC 3720 section 12.1). Any thread. */

#ifndef ADIT_WIRE_CRC32C_H
#define ADIT_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const uint8_t *bytes, size_t n);

/* The same without the processor's instruction: for tests. */
uint32_t crc32c_by_table(const uint8_t *bytes, size_t n);

#endif
