/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/change.h"

#include <assert.h>
#include <string.h>

/* Columns of a line of help. */
#define WIDTH 79

static bool same_strings(
	const struct conf_strings *a, const struct conf_strings *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = !strcmp(a->v[i], b->v[i]);
	return same;
}

static bool same_map(const struct conf_map *a, const struct conf_map *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = !strcmp(a->v[i].key, b->v[i].key) &&
		       !strcmp(a->v[i].value, b->v[i].value);
	return same;
}

static bool same_ranges(
	const struct conf_ranges *a, const struct conf_ranges *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = a->v[i].start == b->v[i].start &&
		       a->v[i].end == b->v[i].end;
	return same;
}

/* Bytes of the field; 0: there is none. */
static size_t field_size(enum conf_type type)
{
	switch (type) {
	case CONF_BOOL:
		return sizeof(CONF_C_BOOL);
	case CONF_INT:
	case CONF_SECONDS:
	case CONF_MS:
		return sizeof(CONF_C_INT);
	case CONF_PORT:
		return sizeof(CONF_C_PORT);
	case CONF_STRING:
	case CONF_SECRET:
		return sizeof(CONF_C_STRING);
	case CONF_ENUM:
	case CONF_WORDS:
		return sizeof(CONF_C_ENUM);
	case CONF_STRINGS:
		return sizeof(CONF_C_STRINGS);
	case CONF_MAP:
		return sizeof(CONF_C_MAP);
	case CONF_RANGES:
		return sizeof(CONF_C_RANGES);
	case CONF_LIST:
		return sizeof(size_t) + sizeof(void *);
	case CONF_FIXED:
	case CONF_LATER:
		break;
	}
	return 0;
}

/* The field of a row that is no list of structs. */
static bool same_field(
	const struct conf_row *row, const void *base_a, const void *base_b)
{
	const void *a = (const char *)base_a + row->offset;
	const void *b = (const char *)base_b + row->offset;

	switch (row->type) {
	case CONF_STRING:
	case CONF_SECRET:
		return !strcmp(
			*(const char *const *)a, *(const char *const *)b);
	case CONF_STRINGS:
		return same_strings(a, b);
	case CONF_MAP:
		return same_map(a, b);
	case CONF_RANGES:
		return same_ranges(a, b);
	case CONF_LIST:
		never_reached(); /* A list has no lists. */
	default:
		return !memcmp(a, b, field_size(row->type));
	}
}

bool conf_is_same(const struct conf_table *t, const void *a, const void *b)
{
	for (size_t i = 0; i < t->n; i++)
		if (!same_field(&t->rows[i], a, b))
			return false;
	return true;
}

/* What CONF_DEF_LIST has made sure of. */
static const char *list_of(
	const struct conf_row *row, const void *base, size_t *n_r)
{
	const char *field = (const char *)base + row->offset, *items;

	memcpy(n_r, field, sizeof(*n_r));
	memcpy(&items, field + sizeof(*n_r), sizeof(items));
	return items;
}

static bool same_row(
	const struct conf_row *row, const void *base_a, const void *base_b)
{
	const char *a, *b;
	size_t n, m;

	if (row->type != CONF_LIST)
		return same_field(row, base_a, base_b);
	a = list_of(row, base_a, &n);
	b = list_of(row, base_b, &m);
	for (size_t i = 0; n == m && i < n; i++)
		if (!conf_is_same(row->items, a + i * row->items->size,
			    b + i * row->items->size))
			return false;
	return n == m;
}

void conf_changes_find(struct conf_changes *c, const struct conf *start,
	const struct conf *now, const struct conf *after)
{
	const struct conf_table *t = conf_table(after);

	assert(t->n <= CONF_CHANGES_MAX);
	*c = (struct conf_changes){ 0 };
	for (size_t i = 0; i < t->n; i++) {
		const struct conf_row *row = &t->rows[i];
		bool reloads = row->flags & CONF_RELOAD;
		const struct conf *before = reloads ? now : start;

		/* A list may have come from other files, too. */
		if ((row->type != CONF_LIST && !conf_given(before, row->path) &&
			    !conf_given(after, row->path)) ||
			same_row(row, conf_base(before), conf_base(after)))
			continue;
		if (reloads)
			c->now[c->now_count++] = row;
		else
			c->later[c->later_count++] = row;
	}
}

void conf_changes_keep(const struct conf *start, const struct conf *after)
{
	const struct conf_table *t = conf_table(after);

	for (size_t i = 0; i < t->n; i++) {
		const struct conf_row *row = &t->rows[i];

		if (!(row->flags & CONF_RELOAD))
			memcpy((char *)conf_base(after) + row->offset,
				(const char *)conf_base(start) + row->offset,
				field_size(row->type));
	}
}

static void print_keys(FILE *out, const char *what,
	const struct conf_row *const *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : what, rows[i]->path);
	if (n > 0)
		fputc('\n', out);
}

void conf_changes_print(const struct conf_changes *c, FILE *out)
{
	if (c->now_count + c->later_count == 0)
		fputs("nothing has changed\n", out);
	print_keys(out, CONF_CHANGES_NOW, c->now, c->now_count);
	print_keys(out, CONF_CHANGES_LATER, c->later, c->later_count);
}

void conf_reloads_print(const struct conf_table *t, FILE *out)
{
	const char *comma = "";
	int column = 0;

	for (size_t i = 0; i < t->n; i++) {
		const char *path = t->rows[i].path;

		if (!(t->rows[i].flags & CONF_RELOAD))
			continue;
		if (*comma)
			column += fprintf(out, ",");
		/* A space before it, and a comma behind it. */
		if (column + 2 + (int)strlen(path) > WIDTH)
			column = fprintf(out, "\n%s", path) - 1;
		else
			column += fprintf(out, "%s%s", comma, path);
		comma = " ";
	}
	fputc('\n', out);
}
