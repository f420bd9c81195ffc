/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/bandwidth.h"

#include <string.h>

/* Digits of a fraction beyond are less than a byte. */
#define FRACTION_MAX 1000000000

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of the unit that the text is; 0: it is none. */
static int64_t unit_of(const char *text)
{
	if (!strcmp(text, "KB"))
		return 1 << 10;
	return !strcmp(text, "MB") ? 1 << 20 : 0;
}

bool bandwidth_parse(const char *text, int64_t *rate_r)
{
	int64_t whole = 0, part = 0, scale = 1, unit;

	*rate_r = 0;
	if (!*text)
		return true;
	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++) {
		whole = whole * 10 + (*text - '0');
		if (whole > BANDWIDTH_MAX >> 10)
			return false;
	}
	if (*text == '.' && !is_digit(*++text))
		return false;
	for (; is_digit(*text); text++) {
		if (scale == FRACTION_MAX)
			continue;
		part = part * 10 + (*text - '0');
		scale *= 10;
	}
	unit = unit_of(text);
	*rate_r = whole * unit + part * unit / scale;
	return *rate_r >= BANDWIDTH_MIN && *rate_r <= BANDWIDTH_MAX;
}
