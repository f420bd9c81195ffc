/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rows that share the beginning of their paths stand together in a table:
 * each such run becomes one mapping. It recurses by the table, not by data.
 */

#include "common/conf/emit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct emitter {
	yaml_emitter_t yaml;
	FILE *out;
	bool failed; /* for want of memory: what follows is dropped */
};

static void emit(struct emitter *e, yaml_event_t *event, int made)
{
	if (!made) {
		e->failed = true;
		return;
	}
	if (e->failed)
		yaml_event_delete(event);
	else if (!yaml_emitter_emit(&e->yaml, event))
		e->failed = true;
}

/* A word that is no string: a key, a number, a choice. */
static void plain(struct emitter *e, const char *text, size_t n)
{
	yaml_event_t event;

	emit(e, &event,
		yaml_scalar_event_initialize(&event, NULL, NULL,
			(const yaml_char_t *)text, (int)n, 1, 1,
			YAML_PLAIN_SCALAR_STYLE));
}

/* Quoted: no text is to be taken for a number or a date. */
static void string(struct emitter *e, const char *text)
{
	yaml_event_t event;

	emit(e, &event,
		yaml_scalar_event_initialize(&event, NULL, NULL,
			(const yaml_char_t *)text, (int)strlen(text), 1, 1,
			YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

static void number(struct emitter *e, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	plain(e, text, (size_t)n);
}

static void begin_mapping(struct emitter *e)
{
	yaml_event_t event;

	emit(e, &event,
		yaml_mapping_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static void end_mapping(struct emitter *e)
{
	yaml_event_t event;

	emit(e, &event, yaml_mapping_end_event_initialize(&event));
}

static void begin_list(struct emitter *e)
{
	yaml_event_t event;

	emit(e, &event,
		yaml_sequence_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
}

static void end_list(struct emitter *e)
{
	yaml_event_t event;

	emit(e, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_int(struct emitter *e, const struct conf_row *row, int64_t v)
{
	for (size_t i = 0; row->choices && i < row->choices->n; i++) {
		const struct conf_choice *c = &row->choices->v[i];

		if (c->value == v) {
			plain(e, c->name, strlen(c->name));
			return;
		}
	}
	number(e, v);
}

static void emit_words(struct emitter *e, const struct conf_row *row, int v)
{
	begin_list(e);
	for (size_t i = 0; i < row->choices->n; i++) {
		const struct conf_choice *c = &row->choices->v[i];

		if (c->value & v)
			plain(e, c->name, strlen(c->name));
	}
	end_list(e);
}

static void emit_strings(struct emitter *e, const struct conf_strings *list)
{
	begin_list(e);
	for (size_t i = 0; i < list->n; i++)
		string(e, list->v[i]);
	end_list(e);
}

static void emit_pair(struct emitter *e, const char *key, int64_t value)
{
	plain(e, key, strlen(key));
	number(e, value);
}

static void emit_ranges(struct emitter *e, const struct conf_ranges *list)
{
	begin_list(e);
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_range *r = &list->v[i];

		begin_mapping(e);
		if (r->start == r->end) {
			emit_pair(e, "single", r->start);
		} else {
			emit_pair(e, "start", r->start);
			emit_pair(e, "end", r->end);
		}
		end_mapping(e);
	}
	end_list(e);
}

/* The number of items of a CONF_LIST field and the first of them. */
static size_t items_of(const void *field, const char **first_r)
{
	size_t n;

	memcpy(&n, field, sizeof(n));
	memcpy(first_r, (const char *)field + sizeof(n), sizeof(*first_r));
	return n;
}

/* A list begins with how many items it has. */
static size_t count_of(const void *field)
{
	size_t n;

	memcpy(&n, field, sizeof(n));
	return n;
}

static bool is_empty(const struct conf_row *row, const void *field)
{
	switch (row->type) {
	case CONF_BOOL:
		return !*(const bool *)field;
	case CONF_INT:
		return *(const int64_t *)field == 0;
	case CONF_WORDS:
		return *(const int *)field == 0;
	case CONF_STRING:
	case CONF_SECRET:
		return **(const char *const *)field == '\0';
	case CONF_STRINGS:
	case CONF_RANGES:
	case CONF_LIST:
		return count_of(field) == 0;
	default:
		never_reached();
	}
}

static void emit_rows(struct emitter *e, const struct conf_row *rows, size_t n,
	size_t skip, const char *base);

static void emit_items(
	struct emitter *e, const struct conf_row *row, const void *field)
{
	const struct conf_table *t = row->items;
	const char *first;
	size_t n = items_of(field, &first);

	begin_list(e);
	for (size_t i = 0; i < n; i++) {
		begin_mapping(e);
		emit_rows(e, t->rows, t->n, 0, first + i * t->size);
		end_mapping(e);
	}
	end_list(e);
}

static void emit_value(
	struct emitter *e, const struct conf_row *row, const void *field)
{
	switch (row->type) {
	case CONF_BOOL:
		plain(e, "true", 4);
		break;
	case CONF_INT:
		emit_int(e, row, *(const int64_t *)field);
		break;
	case CONF_WORDS:
		emit_words(e, row, *(const int *)field);
		break;
	case CONF_STRING:
	case CONF_SECRET:
		string(e, *(const char *const *)field);
		break;
	case CONF_STRINGS:
		emit_strings(e, field);
		break;
	case CONF_RANGES:
		emit_ranges(e, field);
		break;
	case CONF_LIST:
		emit_items(e, row, field);
		break;
	default:
		never_reached();
	}
}

/* How many rows from the first on have this beginning, and whether any says. */
static size_t run_of(const struct conf_row *rows, size_t n, size_t length,
	const char *base, bool *says_r)
{
	size_t i;

	*says_r = false;
	for (i = 0; i < n && !strncmp(rows[i].path, rows->path, length); i++)
		*says_r |= !is_empty(&rows[i], base + rows[i].offset);
	return i;
}

/* The rows into the mapping that is open; `skip` of their paths is above. */
static void emit_rows(struct emitter *e, const struct conf_row *rows, size_t n,
	size_t skip, const char *base)
{
	for (size_t i = 0, run; i < n; i += run) {
		const char *key = rows[i].path + skip;
		size_t length = strcspn(key, ".");
		bool says;

		run = 1;
		if (key[length]) {
			run = run_of(&rows[i], n - i, skip + length + 1, base,
				&says);
			if (!says)
				continue;
			plain(e, key, length);
			begin_mapping(e);
			emit_rows(e, &rows[i], run, skip + length + 1, base);
			end_mapping(e);
		} else if (!is_empty(&rows[i], base + rows[i].offset)) {
			plain(e, key, length);
			emit_value(e, &rows[i], base + rows[i].offset);
		}
	}
}

static int write_out(void *arg, unsigned char *bytes, size_t n)
{
	struct emitter *e = arg;

	return fwrite(bytes, 1, n, e->out) == n;
}

static void emit_document(
	struct emitter *e, const struct conf_table *t, const void *base)
{
	yaml_event_t event;

	emit(e, &event,
		yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(e, &event,
		yaml_document_start_event_initialize(
			&event, NULL, NULL, NULL, 1));
	begin_mapping(e);
	emit_rows(e, t->rows, t->n, 0, base);
	end_mapping(e);
	emit(e, &event, yaml_document_end_event_initialize(&event, 1));
	emit(e, &event, yaml_stream_end_event_initialize(&event));
}

int conf_emit(const struct conf_table *t, const void *base, char **text_r,
	size_t *size_r)
{
	struct emitter e = { 0 };

	e.out = open_memstream(text_r, size_r);
	if (!e.out)
		return -ENOMEM;
	if (yaml_emitter_initialize(&e.yaml)) {
		yaml_emitter_set_output(&e.yaml, write_out, &e);
		yaml_emitter_set_unicode(&e.yaml, 1);
		emit_document(&e, t, base);
		yaml_emitter_delete(&e.yaml);
	} else {
		e.failed = true;
	}
	if (fclose(e.out) == 0 && !e.failed)
		return 0;
	free(*text_r);
	return -ENOMEM;
}
