/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Collecting errors, and making foreign text fit for one line of a terminal.
 */

#include "common/conf/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define QUOTE_CHARACTERS 64
#define KEY_BYTES 256

/*
 * The length of the UTF-8 character at `s` and its code point; a byte that
 * starts none is a character of its own, to be escaped.
 */
static size_t character(const unsigned char *s, uint32_t *point)
{
	size_t length = 1;
	size_t i;

	*point = s[0];
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		length = 4;
	if (length > 1)
		*point = s[0] & (0xff >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			*point = s[0];
			return 1;
		}
		*point = *point << 6 | (s[i] & 0x3f);
	}
	return length;
}

/* Whether a terminal or a reader of lines could be misled by it. */
static bool hidden(uint32_t point, size_t length)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x80 && length == 1) ||
	       (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/*
 * Escape at most `limit` characters of `text` into `out`. Returns what is
 * left of the text.
 */
static const char *escape(
	char *out, size_t size, const char *text, size_t limit)
{
	char piece[16];
	size_t used = 0;
	size_t length, n;
	uint32_t point;

	for (; *text && limit > 0; text += length, limit--) {
		length = character((const unsigned char *)text, &point);
		if (point == '"' || point == '\\')
			n = (size_t)snprintf(
				piece, sizeof(piece), "\\%c", (char)point);
		else if (point == '\n')
			n = (size_t)snprintf(piece, sizeof(piece), "\\n");
		else if (hidden(point, length))
			n = (size_t)snprintf(piece, sizeof(piece),
				point > 0xff ? "\\u%04x" : "\\x%02x", point);
		else
			n = (size_t)snprintf(piece, sizeof(piece), "%.*s",
				(int)length, text);
		if (used + n + 1 > size)
			break;
		memcpy(out + used, piece, n);
		used += n;
	}
	out[used] = '\0';
	return text;
}

const char *conf_quote(char out[static CONF_QUOTED], const char *text)
{
	const char *rest;
	size_t n;

	out[0] = '"';
	/* Room for the dots, the closing quote and the NUL. */
	rest = escape(out + 1, CONF_QUOTED - 6, text, QUOTE_CHARACTERS);
	n = strlen(out);
	snprintf(out + n, CONF_QUOTED - n, "%s\"", *rest ? "..." : "");
	return out;
}

const char *conf_escape(char *out, size_t size, const char *text)
{
	escape(out, size, text, size);
	return out;
}

/* Whether the error stands behind the place: in its file, if it has one. */
static bool is_behind(const struct conf_error *e, const struct conf_place *at)
{
	return (!at->file || e->file == at->file) &&
	       (e->line > at->line ||
		       (e->line == at->line && e->column > at->column));
}

/* The slot for an error at this place, in order, behind equal places. */
static struct conf_error *slot(
	struct conf_errors *e, const struct conf_place *at)
{
	size_t i = e->n;

	while (i > 0 && is_behind(&e->v[i - 1], at))
		i--;
	memmove(&e->v[i + 1], &e->v[i], (e->n - i) * sizeof(e->v[0]));
	e->n++;
	e->v[i].file = at->file;
	e->v[i].line = at->line;
	e->v[i].column = at->column;
	return &e->v[i];
}

void conf_errors_add(struct conf_errors *e, const struct conf_place *at,
	const char *key, const char *fmt, ...)
{
	char file[CONF_ERROR_TEXT / 2];
	char name[KEY_BYTES];
	struct conf_error *error;
	va_list ap;
	int n;

	if (e->n == CONF_ERRORS_MAX) {
		e->lost++;
		return;
	}
	error = slot(e, at);
	conf_escape(name, sizeof(name), key);
	if (at->file)
		n = snprintf(error->text, sizeof(error->text),
			"%s:%zu:%zu: %s: ",
			conf_escape(file, sizeof(file), at->file), at->line,
			at->column, name);
	else
		n = snprintf(error->text, sizeof(error->text), "%s: ", name);
	va_start(ap, fmt);
	vsnprintf(error->text + n, sizeof(error->text) - (size_t)n, fmt, ap);
	va_end(ap);
}

void conf_errors_print(const struct conf_errors *e, FILE *out)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		fprintf(out, "%s\n", e->v[i].text);
	if (e->lost > 0)
		fprintf(out, "%zu more errors are not shown\n", e->lost);
}
