/* SPDX-License-Identifier: Apache-2.0 */

#include "client/block.h"

#include <assert.h>

void block_erase(struct block *b, FILE *f, unsigned columns)
{
	size_t up = 0;

	if (b->lines == 0)
		return;
	for (int i = 0; i < b->lines; i++)
		up += 1 + (b->widths[i] > 0 ? (b->widths[i] - 1) / columns : 0);
	/* From the last row to the first, then clear down to the end. */
	fputc('\r', f);
	if (up > 1)
		fprintf(f, "\x1b[%zuA", up - 1);
	fputs("\x1b[J", f);
	b->lines = 0;
}

void block_add(
	struct block *b, FILE *f, const char *text, size_t width, bool bold)
{
	assert(b->lines < BLOCK_LINES);
	b->widths[b->lines] = width;
	if (b->lines++ > 0)
		fputc('\n', f);
	fprintf(f, "%s%s%s", bold ? "\x1b[1m" : "", text,
		bold ? "\x1b[0m" : "");
}
