/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rows back to nested YAML. Rows that share the beginning of their paths
 * stand together in a table, so a heading is written where the path differs
 * from the row before. Strings are written in double quotes, as JSON would.
 */

#include "common/conf/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/conf/conf.h"

#define INDENT 2
#define WIDTH 79

struct writer {
	FILE *out;
	int indent;         /* of the table's own first level */
	bool dash;          /* the next line begins an item */
	const char *before; /* the path of the row before */
	bool sample;
};

/* The beginning of a line at this level of nesting. */
static void margin(struct writer *w, int level)
{
	int columns = w->indent + level * INDENT;

	if (w->dash)
		fprintf(w->out, "%*s- ", columns - INDENT, "");
	else
		fprintf(w->out, "%*s", columns, "");
	w->dash = false;
}

static void write_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void write_int(FILE *out, const struct conf_row *row, int64_t value)
{
	size_t i;

	for (i = 0; row->choices && i < row->choices->n; i++) {
		if (row->choices->v[i].value == value) {
			fprintf(out, "%s", row->choices->v[i].name);
			return;
		}
	}
	if (row->type == CONF_MS && value > 0)
		value /= 1000;
	fprintf(out, "%" PRId64, value);
}

static void write_enum(FILE *out, const struct conf_choices *choices, int value)
{
	const char *name = "";
	size_t i;

	for (i = 0; i < choices->n; i++) {
		if (choices->v[i].value == value && !choices->v[i].later)
			name = choices->v[i].name;
	}
	fprintf(out, "%s", name[0] ? name : "\"\"");
}

static void write_words(
	FILE *out, const struct conf_choices *choices, int value)
{
	const char *comma = "";
	size_t i;

	fputc('[', out);
	for (i = 0; i < choices->n; i++) {
		if (!(choices->v[i].value & value))
			continue;
		fprintf(out, "%s%s", comma, choices->v[i].name);
		comma = ", ";
	}
	fputc(']', out);
}

static void write_strings(FILE *out, const struct conf_strings *list)
{
	size_t i;

	fputc('[', out);
	for (i = 0; i < list->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		write_string(out, list->v[i]);
	}
	fputc(']', out);
}

static void write_map(FILE *out, const struct conf_map *map)
{
	size_t i;

	fputc('{', out);
	for (i = 0; i < map->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		write_string(out, map->v[i].key);
		fputs(": ", out);
		write_string(out, map->v[i].value);
	}
	fputc('}', out);
}

static void write_ranges(FILE *out, const struct conf_ranges *list)
{
	size_t i;

	fputc('[', out);
	for (i = 0; i < list->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		if (list->v[i].start == list->v[i].end)
			fprintf(out, "{single: %u}", list->v[i].start);
		else
			fprintf(out, "{start: %u, end: %u}", list->v[i].start,
				list->v[i].end);
	}
	fputc(']', out);
}

/* The value of a row with a field that is no list of structs. */
static void write_value(
	FILE *out, const struct conf_row *row, const void *field)
{
	switch (row->type) {
	case CONF_BOOL:
		fputs(*(const bool *)field ? "true" : "false", out);
		break;
	case CONF_PORT:
		fprintf(out, "%u", *(const uint16_t *)field);
		break;
	case CONF_INT:
	case CONF_SECONDS:
	case CONF_MS:
		write_int(out, row, *(const int64_t *)field);
		break;
	case CONF_STRING:
		write_string(out, *(const char *const *)field);
		break;
	case CONF_SECRET:
		fputs(**(const char *const *)field ? "\"***\"" : "\"\"", out);
		break;
	case CONF_ENUM:
		write_enum(out, row->choices, *(const int *)field);
		break;
	case CONF_WORDS:
		write_words(out, row->choices, *(const int *)field);
		break;
	case CONF_STRINGS:
		write_strings(out, field);
		break;
	case CONF_MAP:
		write_map(out, field);
		break;
	case CONF_RANGES:
		write_ranges(out, field);
		break;
	case CONF_LIST:
	case CONF_FIXED:
	case CONF_LATER:
		never_reached();
	}
}

/* One sentence as comment lines of at most WIDTH columns. */
static void write_comment(struct writer *w, int level, const char *text)
{
	int start = w->indent + level * INDENT;
	int column = 0;
	int length;

	while (*text) {
		length = (int)strcspn(text, " ");
		if (column > 0 && column + 1 + length > WIDTH) {
			fputc('\n', w->out);
			column = 0;
		}
		if (column == 0)
			column = fprintf(
				w->out, "%*s# %.*s", start, "", length, text);
		else
			column += fprintf(w->out, " %.*s", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', w->out);
}

/* The words of a choice, or the range and the unit, after the sentence. */
static void describe_value(const struct conf_row *row, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", row->doc);
	const char *comma = "";
	size_t i;

	if (row->choices && used < size) {
		used += (size_t)snprintf(out + used, size - used, " (");
		for (i = 0; i < row->choices->n && used < size; i++) {
			if (row->choices->v[i].later ||
				!row->choices->v[i].name[0])
				continue;
			used += (size_t)snprintf(out + used, size - used,
				"%s%s", comma, row->choices->v[i].name);
			comma = ", ";
		}
		if (used < size && row->type == CONF_INT)
			used += (size_t)snprintf(out + used, size - used,
				", %" PRId64 " to %" PRId64, row->min,
				row->max);
		if (used < size)
			snprintf(out + used, size - used, ")");
	} else if (row->max > 0 && used < size) {
		snprintf(out + used, size - used,
			" (%" PRId64 " to %" PRId64 "%s%s)", row->min, row->max,
			row->unit ? " " : "", row->unit ? row->unit : "");
	}
}

static void describe(const struct conf_row *row, char *out, size_t size)
{
	size_t used;

	describe_value(row, out, size);
	used = strlen(out);
	if (row->flags & CONF_RELOAD)
		snprintf(out + used, size - used, " [reload]");
}

/* Headings that the row before did not share; returns the row's level. */
static int write_headings(struct writer *w, const char *path)
{
	const char *part = path;
	const char *dot;
	size_t end;
	int level = 0;

	while ((dot = strchr(part, '.'))) {
		end = (size_t)(dot - path) + 1;
		if (!w->before || strncmp(w->before, path, end) != 0) {
			if (w->sample && level == 0)
				fputc('\n', w->out);
			margin(w, level);
			fprintf(w->out, "%.*s:\n", (int)(dot - part), part);
		}
		part = dot + 1;
		level++;
	}
	return level;
}

static void write_row(
	struct writer *w, const struct conf_row *row, const void *field)
{
	const char *dot = strrchr(row->path, '.');
	int level = write_headings(w, row->path);
	char text[512];

	if (w->sample) {
		if (level == 0)
			fputc('\n', w->out);
		describe(row, text, sizeof(text));
		write_comment(w, level, text);
	}
	margin(w, level);
	fprintf(w->out, "%s: ", dot ? dot + 1 : row->path);
	if (row->type == CONF_LIST)
		fputs("[]", w->out);
	else
		write_value(w->out, row, field);
	fputc('\n', w->out);
	if (w->sample && row->example)
		fputs(row->example, w->out);
	w->before = row->path;
}

/* The number of items of a CONF_LIST field and the first of them. */
static size_t items_of(const void *field, const char **first_r)
{
	size_t n;

	memcpy(&n, field, sizeof(n));
	memcpy(first_r, (const char *)field + sizeof(n), sizeof(*first_r));
	return n;
}

/* A list of structs without lists of structs in them. */
static void write_items(
	struct writer *w, const struct conf_row *row, const void *field)
{
	const struct conf_table *t = row->items;
	struct writer inner = { .out = w->out, .indent = 2 * INDENT };
	const char *first;
	size_t n = items_of(field, &first);
	size_t i, k;

	fprintf(w->out, "%s:\n", row->path);
	for (i = 0; i < n; i++) {
		inner.dash = true;
		inner.before = NULL;
		for (k = 0; k < t->n; k++) {
			if (t->rows[k].type < CONF_LIST)
				write_row(&inner, &t->rows[k],
					first + i * t->size +
						t->rows[k].offset);
		}
	}
	w->before = row->path;
}

static void write_table(
	struct writer *w, const struct conf_table *t, const void *base)
{
	const struct conf_row *row;
	const char *first;
	const char *field;
	size_t i;

	for (i = 0; i < t->n; i++) {
		row = &t->rows[i];
		field = (const char *)base + row->offset;
		if (row->type == CONF_LIST && items_of(field, &first) > 0)
			write_items(w, row, field);
		else if (row->type <= CONF_LIST)
			write_row(w, row, field);
	}
}

void conf_dump(const struct conf_table *t, const void *base, FILE *out)
{
	struct writer w = { .out = out };

	write_table(&w, t, base);
}

int conf_sample(const struct conf_table *t, FILE *out)
{
	struct writer w = { .out = out, .sample = true };
	struct conf *conf;
	void *base;
	int result = conf_new(&conf, t, &base);

	if (result < 0)
		return result;
	write_table(&w, t, base);
	conf_free(&conf);
	return 0;
}
