/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/crc32c.h"

#include <pthread.h>
#include <string.h>

/* Reflected. */
#define POLYNOMIAL 0x82f63b78u

/* table[k][b]: the byte b with k bytes of zero behind it. */
static uint32_t table[8][256];

static void fill_table(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
		table[0][b] = c;
	}
	for (int k = 1; k < 8; k++)
		for (int b = 0; b < 256; b++)
			table[k][b] = table[k - 1][b] >> 8 ^
				      table[0][table[k - 1][b] & 0xff];
}

/* Eight bytes a step (Kounavis and Berry, 2005). */
uint32_t crc32c_by_table(const uint8_t *p, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint32_t c = ~0u;

	pthread_once(&once, fill_table);
	for (; n >= 8; p += 8, n -= 8) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		     (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^
		    table[5][c >> 16 & 0xff] ^ table[4][c >> 24] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		    table[0][p[7]];
	}
	for (; n > 0; p++, n--)
		c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(
	const uint8_t *p, size_t n)
{
	uint64_t c = 0xffffffff;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		c = __builtin_ia32_crc32di(c, word);
	}
	for (; n > 0; p++, n--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p);
	return ~(uint32_t)c;
}

uint32_t crc32c(const uint8_t *bytes, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return by_instruction(bytes, n);
	return crc32c_by_table(bytes, n);
}
#else
uint32_t crc32c(const uint8_t *bytes, size_t n)
{
	return crc32c_by_table(bytes, n);
}
#endif
