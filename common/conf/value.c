/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Scalars: text to bool, numbers, strings and choices; and the keys without
 * a field, which are only compared.
 */

#include "common/conf/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/number.h"

#define ALLOWED_TEXT 400

void conf_value_refuse(const struct conf_source *s, const struct conf_node *n,
	const char *path, bool secret, const char *allowed)
{
	struct conf_place at = { s->file, n->line, n->column };
	char quoted[CONF_QUOTED];
	const char *found;

	if (n->kind == CONF_MAPPING)
		found = "keys and values";
	else if (n->kind == CONF_SEQUENCE)
		found = "a list";
	else if (conf_node_null(n))
		found = "no value";
	else if (secret)
		found = "***";
	else
		found = conf_quote(quoted, n->text);
	conf_errors_add(s->errors, &at, path, "%s; %s", found, allowed);
}

bool conf_value_text(const struct conf_source *s, const struct conf_node *n,
	const char *path, bool secret)
{
	if (n->kind != CONF_SCALAR || conf_node_null(n)) {
		conf_value_refuse(s, n, path, secret, "a string is allowed");
		return false;
	}
	return true;
}

const struct conf_choice *conf_choice_find(
	const struct conf_choices *choices, const char *name)
{
	size_t i;

	for (i = 0; choices && i < choices->n; i++) {
		if (strcmp(choices->v[i].name, name) == 0)
			return &choices->v[i];
	}
	return NULL;
}

const char *conf_choice_names(
	const struct conf_choices *choices, char *out, size_t size)
{
	size_t used = 0;
	size_t i;

	out[0] = '\0';
	for (i = 0; i < choices->n && used < size; i++) {
		if (choices->v[i].later || choices->v[i].name[0] == '\0')
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
			used > 0 ? ", " : "", choices->v[i].name);
	}
	return out;
}

static void limits(const struct conf_row *row, int64_t *min, int64_t *max)
{
	*min = row->min;
	*max = row->max;
	if (row->type == CONF_PORT && *max == 0)
		*max = UINT16_MAX;
	if (row->type != CONF_PORT && *min == 0 && *max == 0) {
		/* Milliseconds must fit too. */
		*min = INT64_MIN / 1000;
		*max = INT64_MAX / 1000;
	}
}

static void refuse_number(const struct conf_source *s,
	const struct conf_row *row, const struct conf_node *n, const char *path)
{
	char allowed[ALLOWED_TEXT];
	char words[100] = "";
	int64_t min, max;

	limits(row, &min, &max);
	if (row->choices)
		conf_choice_names(row->choices, words, sizeof(words));
	snprintf(allowed, sizeof(allowed),
		"a number%s from %lld to %lld%s%s%s%s is allowed",
		!n->plain && n->kind == CONF_SCALAR ? " without quotes" : "",
		(long long)min, (long long)max, row->unit ? " " : "",
		row->unit ? row->unit : "", words[0] ? " or " : "", words);
	conf_value_refuse(s, n, path, false, allowed);
}

static void store_number(
	const struct conf_row *row, int64_t number, void *field)
{
	bool off = number < 0;

	switch (row->type) {
	case CONF_PORT:
		*(uint16_t *)field = (uint16_t)number;
		break;
	case CONF_MS:
		*(int64_t *)field = off ? -1 : number * 1000;
		break;
	case CONF_SECONDS:
		*(int64_t *)field = off ? -1 : number;
		break;
	default:
		*(int64_t *)field = number;
		break;
	}
}

static void read_number(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, void *field)
{
	const struct conf_choice *word;
	int64_t number, min, max;

	if (n->kind == CONF_SCALAR && !conf_value_text(s, n, path, false))
		return;
	word = n->kind == CONF_SCALAR ? conf_choice_find(row->choices, n->text)
				      : NULL;
	limits(row, &min, &max);
	if (word)
		*(int64_t *)field = word->value;
	else if (n->kind == CONF_SCALAR && n->plain &&
		 conf_number_read(n->text, &number) && number >= min &&
		 number <= max)
		store_number(row, number, field);
	else
		refuse_number(s, row, n, path);
}

static void read_bool(const struct conf_source *s, const struct conf_node *n,
	const char *path, bool *field)
{
	bool is_true = strcmp(n->text, "true") == 0;

	if (n->kind == CONF_SCALAR && n->plain &&
		(is_true || strcmp(n->text, "false") == 0))
		*field = is_true;
	else
		conf_value_refuse(s, n, path, false,
			n->plain || n->kind != CONF_SCALAR
				? "true or false is allowed"
				: "true or false without quotes is allowed");
}

static void read_enum(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, int *field)
{
	const struct conf_choice *choice;
	char names[ALLOWED_TEXT / 2];
	char allowed[ALLOWED_TEXT];

	if (!conf_value_text(s, n, path, false))
		return;
	choice = conf_choice_find(row->choices, n->text);
	if (choice && !choice->later) {
		*field = choice->value;
		return;
	}
	conf_choice_names(row->choices, names, sizeof(names));
	snprintf(allowed, sizeof(allowed),
		choice ? "not supported yet (allowed: %s)"
		       : "one of %s is allowed",
		names);
	conf_value_refuse(s, n, path, false, allowed);
}

/* Whether the word can only be meant as a number or a truth. */
static bool unquoted(const char *word, size_t length)
{
	return (length > 0 && strspn(word, "-0123456789") >= length) ||
	       (length == 4 && memcmp(word, "true", 4) == 0) ||
	       (length == 5 && memcmp(word, "false", 5) == 0);
}

static bool is_fixed(const struct conf_node *n, const char *word, size_t length)
{
	if (n->kind == CONF_SEQUENCE)
		return n->n == 0 && length == 2 && memcmp(word, "[]", 2) == 0;
	if (n->kind == CONF_MAPPING)
		return n->n == 0 && length == 2 && memcmp(word, "{}", 2) == 0;
	return strlen(n->text) == length &&
	       memcmp(n->text, word, length) == 0 &&
	       (n->plain || !unquoted(word, length));
}

static void check_fixed(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path)
{
	char allowed[ALLOWED_TEXT] = "not supported yet (allowed: ";
	struct conf_node bare = *n;
	const char *word = row->allowed;
	size_t used = strlen(allowed);
	size_t length;
	bool last, but_quoted = false;

	bare.plain = true;
	do {
		length = strcspn(word, "|");
		last = word[length] == '\0';
		if (is_fixed(n, word, length))
			return;
		but_quoted = but_quoted || is_fixed(&bare, word, length);
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used,
			"%.*s%s", length > 0 ? (int)length : 2,
			length > 0 ? word : "\"\"", last ? ")" : ", ");
		if (used >= sizeof(allowed))
			never_reached();
		word += length + 1;
	} while (!last);
	conf_value_refuse(s, n, path, false,
		but_quoted ? "the same without quotes is allowed" : allowed);
}

static bool is_off(const struct conf_node *n)
{
	return n->text[0] == '\0' || conf_node_null(n) ||
	       (n->plain && (strcmp(n->text, "false") == 0 ||
				    strcmp(n->text, "0") == 0));
}

bool conf_value_off(const struct conf_source *s, const struct conf_node *n)
{
	for (size_t i = (size_t)(n - s->tree->v); i < n->end; i++) {
		const struct conf_node *c = &s->tree->v[i];

		if (c->kind == CONF_SEQUENCE && c->n > 0)
			return false;
		if (c->kind == CONF_SCALAR && !is_off(c))
			return false;
	}
	return true;
}

static void check_later(const struct conf_source *s, const struct conf_node *n,
	const char *path)
{
	if (n->kind == CONF_SCALAR ? n->text[0] == '\0' : conf_value_off(s, n))
		return;
	conf_value_refuse(
		s, n, path, true, "not supported yet (allowed: leave it out)");
}

static int read_string(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, const char **field)
{
	bool secret = row->type == CONF_SECRET;
	const char *copy;

	if (!conf_value_text(s, n, path, secret))
		return 0;
	copy = conf_arena_text(s->arena, n->text, strlen(n->text));
	if (!copy)
		return -ENOMEM;
	*field = copy;
	return 0;
}

/* Whether the value is the zero that asks for the default, as in frp. */
static bool asks_default(const struct conf_row *row, const struct conf_node *n)
{
	if (n->kind != CONF_SCALAR || !row->def)
		return false;
	if (n->text[0] == '\0')
		return !n->plain && row->flags & CONF_EMPTY_DEFAULT;
	return n->plain && strcmp(n->text, "0") == 0 &&
	       row->flags & CONF_EMPTY_DEFAULT && row->type != CONF_STRING;
}

int conf_value_read(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, void *base)
{
	void *field = (char *)base + row->offset;

	if (asks_default(row, n))
		return conf_value_default(s->arena, row, base);
	switch (row->type) {
	case CONF_BOOL:
		read_bool(s, n, path, field);
		return 0;
	case CONF_INT:
	case CONF_PORT:
	case CONF_SECONDS:
	case CONF_MS:
		read_number(s, row, n, path, field);
		return 0;
	case CONF_ENUM:
		read_enum(s, row, n, path, field);
		return 0;
	case CONF_STRING:
	case CONF_SECRET:
		return read_string(s, row, n, path, field);
	case CONF_WORDS:
	case CONF_STRINGS:
	case CONF_MAP:
	case CONF_RANGES:
		return conf_several_read(s, row, n, path, field);
	case CONF_FIXED:
		check_fixed(s, row, n, path);
		return 0;
	case CONF_LATER:
		check_later(s, n, path);
		return 0;
	case CONF_LIST:
		break;
	}
	never_reached();
}

/* "a, b": the strings a and b. */
static int default_strings(
	struct conf_arena *arena, const char *text, struct conf_strings *list)
{
	list->v = conf_arena_array(arena, strlen(text), sizeof(*list->v));
	if (!list->v)
		return -ENOMEM;
	while (*text) {
		size_t n = strcspn(text, ",");

		list->v[list->n] = conf_arena_text(arena, text, n);
		if (!list->v[list->n++])
			return -ENOMEM;
		text += n;
		text += strspn(text, ", ");
	}
	return 0;
}

int conf_value_default(
	struct conf_arena *arena, const struct conf_row *row, void *base)
{
	struct conf_node n = { .kind = CONF_SCALAR, .key = "", .plain = true };
	struct conf_row plain = *row;
	struct conf_errors *errors;
	struct conf_source s = { .arena = arena };
	int result;

	if (row->type == CONF_STRING || row->type == CONF_SECRET)
		*(const char **)((char *)base + row->offset) = "";
	if (!row->def || row->def[0] == '\0')
		return 0;
	if (row->type == CONF_STRINGS)
		return default_strings(
			arena, row->def, (void *)((char *)base + row->offset));
	errors = calloc(1, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	s.errors = errors;
	n.text = row->def;
	plain.flags = 0;
	result = conf_value_read(&s, &plain, &n, row->path, base);
	if (errors->n > 0)
		never_reached();
	free(errors);
	return result;
}
