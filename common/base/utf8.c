/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/utf8.h"

#include <stdbool.h>

/*
 * Of three bytes: U+200E and U+200F, U+2028 to U+202E, U+2066 to U+2069. What
 * is behind the first of these is shown from right to left, or on another line.
 */
static bool turns_the_line(const unsigned char *s)
{
	if (s[0] != 0xe2)
		return false;
	if (s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f ||
		       (s[2] >= 0xa8 && s[2] <= 0xae);
	return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t length;

	if (n < 2 || s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (n < length)
		return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	/* U+0080 to U+009F are control characters too. */
	if (s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (length == 3 && turns_the_line(s))
		return 0;
	return length;
}
