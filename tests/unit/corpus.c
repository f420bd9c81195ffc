/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/corpus.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/compiler.h"

#define LINE_MAX_SIZE 4096

static const struct macro {
	const char *name, *text;
} macros[] = {
	{ "$told", "X-Forwarded-For: 127.0.0.1\\r\\n"
		   "X-Forwarded-Host: a.test\\r\\nX-Forwarded-Proto: http" },
	{ "$date", "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ "$GET", "GET / HTTP/1.1\\r\\nHost: a.test" },
	{ "$POST", "POST / HTTP/1.1\\r\\nHost: a.test" },
	{ "$host", "a.test" },
	{ "$other", "b.test" },
	{ "$HOST", "A.TEST" },
};

static void put(FILE *out, const char *text, const char *end);

static const char *put_macro(FILE *out, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(macros); i++) {
		size_t n = strlen(macros[i].name);

		if (strncmp(text, macros[i].name, n))
			continue;
		put(out, macros[i].text,
			macros[i].text + strlen(macros[i].text));
		return text + n;
	}
	fputc('$', out);
	return text + 1;
}

/* What stands behind a backslash; where it ends. */
static const char *put_escape(FILE *out, const char *text)
{
	static const char names[] = "rnts\\", bytes[] = "\r\n\t \\";
	const char *name = strchr(names, *text);

	if (*text == 'x') {
		char digits[3] = { text[1], text[2], 0 };

		fputc((int)strtol(digits, NULL, 16), out);
		return text + 3;
	}
	if (*text == '{') {
		char *star;
		long n = strtol(text + 1, &star, 10);
		const char *end = strchr(star, '}');

		cr_assert(*star == '*' && end);
		while (n-- > 0)
			put(out, star + 1, end);
		return end + 1;
	}
	cr_assert(*text && name, "\\%s", text);
	fputc(bytes[name - names], out);
	return text + 1;
}

static void put(FILE *out, const char *text, const char *end)
{
	while (text < end) {
		if (*text == '\\')
			text = put_escape(out, text + 1);
		else if (*text == '$')
			text = put_macro(out, text);
		else
			fputc(*text++, out);
	}
}

/* The bytes, and those of a line behind them. */
static void add(struct corpus_bytes *bytes, const char *text, bool whole_line)
{
	struct corpus_bytes sum = { 0 };
	FILE *out = open_memstream(&sum.v, &sum.size);

	cr_assert(out);
	fwrite(bytes->v ? bytes->v : "", 1, bytes->size, out);
	put(out, text, text + strlen(text));
	if (whole_line)
		fputs("\r\n", out);
	fclose(out);
	free(bytes->v);
	*bytes = sum;
}

static void take_option(struct corpus_case *c, const char *text)
{
	c->cut |= !strncmp(text, "cut", 3);
	c->accepted |= !strncmp(text, "accepted", 8);
	c->closes |= !strcmp(text, "close") || !strcmp(text, "reset");
}

static void take_line(struct corpus_case *c, const char *mark, const char *text)
{
	bool whole = mark[1] != '-';

	switch (mark[0]) {
	case '<':
		add(&c->sent, text, whole);
		break;
	case '>':
		c->passed_count += mark[1] == '>';
		cr_assert_leq(c->passed_count, CORPUS_MESSAGES_MAX);
		add(&c->passed[c->passed_count - 1], text, whole);
		break;
	case '?':
		add(&c->asked, text, true);
		break;
	case '=':
		snprintf(c->verdict, sizeof(c->verdict), "%s", text);
		break;
	case '!':
		take_option(c, text);
		break;
	default:
		cr_assert_fail("%s: %s", c->where, mark);
	}
}

/* The case is complete: show it, and begin another one. */
static unsigned show(
	struct corpus_case *c, void (*visit)(const struct corpus_case *c))
{
	unsigned n = c->where[0] != '\0';

	if (n)
		visit(c);
	free(c->sent.v);
	free(c->asked.v);
	for (unsigned i = 0; i < c->passed_count; i++)
		free(c->passed[i].v);
	memset(c, 0, sizeof(*c));
	return n;
}

static unsigned read_file(
	const char *path, void (*visit)(const struct corpus_case *c))
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_SIZE];
	struct corpus_case c = { 0 };
	unsigned n = 0, number = 0;

	cr_assert(f, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		char *text;

		number++;
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#' || !strncmp(line, "class ", 6))
			continue;
		text = line + strcspn(line, " ");
		if (*text)
			*text++ = '\0';
		if (strcmp(line, "case")) {
			take_line(&c, line, text);
			continue;
		}
		n += show(&c, visit);
		snprintf(c.name, sizeof(c.name), "%s", text);
		snprintf(c.where, sizeof(c.where), "%s:%u",
			strrchr(path, '/') + 1, number);
	}
	n += show(&c, visit);
	fclose(f);
	return n;
}

unsigned corpus_each(
	const char *kind, void (*visit)(const struct corpus_case *c))
{
	char pattern[64];
	unsigned n = 0;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "tests/corpus/%s/*.case", kind);
	cr_assert_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		n += read_file(g.gl_pathv[i], visit);
	globfree(&g);
	return n;
}
