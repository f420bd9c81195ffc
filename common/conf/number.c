/* SPDX-License-Identifier: Apache-2.0 */

/*
 * strtoll(3) behind a check of the form, since it takes blanks and a plus.
 */

#include "common/conf/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool conf_number_read(const char *text, int64_t *number_r)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;

	if (digits[strspn(digits, "0123456789")] != '\0' || *digits == '\0')
		return false;
	if (digits[0] == '0' && (digits[1] != '\0' || digits != text))
		return false;
	errno = 0;
	*number_r = strtoll(text, &end, 10);
	return errno == 0;
}
