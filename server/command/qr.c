/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <string.h>

/* White around it, in modules (ISO/IEC 18004 section 5.3.8). */
#define QUIET 4

/* Black on white of the 256 colors, which themes do not change; and back. */
#define BEGIN "\033[38;5;16;48;5;231m"
#define END "\033[0m"

/* Outside it is white. */
static bool is_black(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1);
}

static void print_row(FILE *out, const QRcode *q, int y)
{
	/* U+2588, U+2580, U+2584: a full block, its upper and lower half. */
	static const char *const blocks[2][2] = { { " ", "\xe2\x96\x84" },
		{ "\xe2\x96\x80", "\xe2\x96\x88" } };

	fputs(BEGIN, out);
	for (int x = -QUIET; x < q->width + QUIET; x++)
		fputs(blocks[is_black(q, x, y)][is_black(q, x, y + 1)], out);
	fputs(END "\n", out);
}

int qr_print(FILE *out, const char *text, int columns)
{
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	int rc = q ? 0 : -errno;

	if (!q)
		return rc == -ERANGE ? -EMSGSIZE : -ENOMEM;
	if (q->width + 2 * QUIET > columns)
		rc = -EMSGSIZE;
	for (int y = -QUIET; rc == 0 && y < q->width + QUIET; y += 2)
		print_row(out, q, y);
	explicit_bzero(q->data, (size_t)q->width * (size_t)q->width);
	QRcode_free(q);
	return rc;
}
