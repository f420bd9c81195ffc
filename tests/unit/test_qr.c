/* SPDX-License-Identifier: Apache-2.0 */

/* The finder patterns are where they belong; what is too wide is refused. */
// links: server/command/qr.c
// libs: -lqrencode

#include "server/command/qr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "\033[38;5;16;48;5;231m"
#define END "\033[0m"

/* Whether the module is black, in a code of so many, from what was printed. */
static bool black(const char *text, int size, int x, int y)
{
	const char *at = text;
	int row = (y + 4) / 2, upper = (y + 4) % 2 == 0;

	cr_assert(x < size && y < size);
	while (row-- > 0)
		at = strchr(at, '\n') + 1;
	cr_assert_eq(strncmp(at, BEGIN, strlen(BEGIN)), 0);
	at += strlen(BEGIN);
	for (int i = -4; i < x; i++)
		at += *at == ' ' ? 1 : 3;
	if (*at == ' ')
		return false;
	return at[2] == (char)0x88 || at[2] == (char)(upper ? 0x80 : 0x84);
}

Test(qr, has_its_finder_patterns)
{
	/* 13 bytes, level L: version 1, 21 modules; 29 with the white. */
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	static const int corners[][2] = { { 0, 0 }, { 14, 0 }, { 0, 14 } };

	cr_assert_eq(qr_print(out, "adit://a:b@c/", 29), 0);
	fclose(out);
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < 7; y++)
			for (int x = 0; x < 7; x++) {
				int ring = x < y ? x : y;

				if (6 - x < ring)
					ring = 6 - x;
				if (6 - y < ring)
					ring = 6 - y;
				cr_assert_eq(black(text, 21, corners[i][0] + x,
						     corners[i][1] + y),
					ring != 1, "corner %d, %d %d", i, x, y);
			}
	cr_assert(strstr(text, END "\n"));
	free(text);
}

Test(qr, needs_its_columns)
{
	char *text, long_one[4000];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(qr_print(out, "adit://a:b@c/", 28), -EMSGSIZE);
	memset(long_one, 'a', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	cr_assert_eq(qr_print(out, long_one, 1000), -EMSGSIZE);
	fclose(out);
	cr_assert_eq(size, 0);
	free(text);
}
