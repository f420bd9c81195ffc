/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/log_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/utf8.h"

/* What closes a line, with its line feed. */
#define CLOSE_MAX 3

static const char *const level_names[] = { "trace", "debug", "info", "warn",
	"error" };

/* Select graphic rendition (ECMA-48 8.3.117): grey to red. */
static const char *const level_colors[] = { "\x1b[90m", "\x1b[90m", "\x1b[34m",
	"\x1b[33m", "\x1b[31m" };

/* A line under construction; behind what did not fit nothing comes. */
struct line {
	const struct log_form *form;
	size_t n, size;
	char *text;
	bool quoted; /* a quote is open */
	bool cut;
};

/* It is put as a whole or not at all. */
static bool put(struct line *l, const char *text, size_t n)
{
	l->cut = l->cut || n > l->size - l->n;
	if (l->cut)
		return false;
	memcpy(l->text + l->n, text, n);
	l->n += n;
	return true;
}

static void put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* A quote, and what stands before it, which is nothing without it. */
static void put_opening(struct line *l, const char *format, const char *key)
{
	char text[64];

	snprintf(text, sizeof(text), format, key);
	if (put(l, text, strlen(text)))
		l->quoted = true;
}

static void put_closing(struct line *l)
{
	if (put(l, "\"", 1))
		l->quoted = false;
}

/* Escape one byte that cannot stand as it is. */
static void put_escape(struct line *l, unsigned char c)
{
	bool json = l->form->format == LOG_JSON;
	char text[8];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof(text), "\\%c", c);
	else if (c == '\n')
		snprintf(text, sizeof(text), "\\n");
	else
		snprintf(text, sizeof(text), json ? "\\u%04x" : "\\x%02x", c);
	put_text(l, text);
}

/* What is in quotes: on one line, valid UTF-8. */
static void put_escaped(struct line *l, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		/* It stops at the NUL. */
		size_t n = *s >= 0x80 ? utf8_length(s, 4) : 1;

		if (*s == '"' || *s == '\\' || *s < 0x20 || *s == 0x7f ||
			n == 0)
			put_escape(l, *s);
		else
			put(l, (const char *)s, n);
		s += n ? n : 1;
	}
}

/* A plain word needs no quotes in the text form. */
static bool is_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789._:-/[]*@+")] == '\0';
}

static void put_time(struct line *l)
{
	struct timespec now;
	struct tm tm;
	char text[64];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03ld", now.tv_nsec / 1000000);
	put_text(l, text);
}

/* A word, of which a part may be left. */
static void put_word(struct line *l, const char *text)
{
	while (*text)
		put(l, text++, 1);
}

static void build_text(struct line *l, enum log_level level,
	const char *const *pairs, const char *msg)
{
	put_time(l);
	put(l, " ", 1);
	if (l->form->color)
		put_text(l, level_colors[level]);
	put_text(l, level_names[level]);
	if (l->form->color)
		put_text(l, "\x1b[0m");
	put_opening(l, " %s=\"", "msg");
	put_escaped(l, msg);
	put_closing(l);
	for (; pairs && pairs[0]; pairs += 2) {
		if (is_word(pairs[1])) {
			put(l, " ", 1);
			put_text(l, pairs[0]);
			put(l, "=", 1);
			put_word(l, pairs[1]);
			continue;
		}
		put_opening(l, " %.50s=\"", pairs[0]);
		put_escaped(l, pairs[1]);
		put_closing(l);
	}
}

static void build_json(struct line *l, enum log_level level,
	const char *const *pairs, const char *msg)
{
	put_text(l, "{\"time\":\"");
	put_time(l);
	put_text(l, "\",\"level\":\"");
	put_text(l, level_names[level]);
	put_opening(l, "\",\"%s\":\"", "msg");
	put_escaped(l, msg);
	put_closing(l);
	for (; pairs && pairs[0]; pairs += 2) {
		put_opening(l, ",\"%.50s\":\"", pairs[0]);
		put_escaped(l, pairs[1]);
		put_closing(l);
	}
}

size_t log_line(char *out, size_t size, const struct log_form *form,
	enum log_level level, const char *const *pairs, const char *msg)
{
	struct line l = { .form = form, .size = size - CLOSE_MAX, .text = out };

	if (form->format == LOG_JSON)
		build_json(&l, level, pairs, msg);
	else
		build_text(&l, level, pairs, msg);
	if (l.quoted)
		out[l.n++] = '"';
	if (form->format == LOG_JSON)
		out[l.n++] = '}';
	out[l.n++] = '\n';
	return l.n;
}
