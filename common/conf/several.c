/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Values made of several: lists of words and strings, maps, port ranges.
 * Reading is by the children of one node, which lie behind it in the tree.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/conf/number.h"
#include "common/conf/value.h"

/* Long enough for any path of a table and an index. */
#define PATH_ROOM 512

static size_t first(const struct conf_source *s, const struct conf_node *n)
{
	return (size_t)(n - s->tree->v) + 1;
}

static const char *item_path(
	char out[static PATH_ROOM], const char *path, size_t index)
{
	snprintf(out, PATH_ROOM, "%.255s[%zu]", path, index);
	return out;
}

static const char *key_path(
	char out[static PATH_ROOM], const char *path, const char *key)
{
	snprintf(out, PATH_ROOM, "%.255s.%.200s", path, key);
	return out;
}

static int copy_text(
	const struct conf_source *s, const char *text, const char **copy_r)
{
	*copy_r = conf_arena_text(s->arena, text, strlen(text));
	return *copy_r ? 0 : -ENOMEM;
}

static int read_strings(const struct conf_source *s, const struct conf_node *n,
	const char *path, struct conf_strings *field)
{
	struct conf_strings list = { 0 };
	char at[PATH_ROOM];
	const struct conf_node *c;
	size_t i;

	list.v = conf_arena_array(s->arena, n->n, sizeof(*list.v));
	if (!list.v)
		return -ENOMEM;
	for (i = first(s, n); i < n->end; i = c->end) {
		c = &s->tree->v[i];
		if (!conf_value_text(
			    s, c, item_path(at, path, c->index), false))
			continue;
		if (copy_text(s, c->text, &list.v[list.n++]) < 0)
			return -ENOMEM;
	}
	*field = list;
	return 0;
}

static void read_words(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, int *field)
{
	const struct conf_choice *choice;
	const struct conf_node *c;
	char names[200];
	char allowed[256];
	char at[PATH_ROOM];
	int value = 0;
	size_t i;

	conf_choice_names(row->choices, names, sizeof(names));
	snprintf(allowed, sizeof(allowed), "one of %s is allowed", names);
	for (i = first(s, n); i < n->end; i = c->end) {
		c = &s->tree->v[i];
		choice = conf_choice_find(row->choices, c->text);
		if (choice)
			value |= choice->value;
		else
			conf_value_refuse(s, c, item_path(at, path, c->index),
				false, allowed);
	}
	*field = value;
}

static int read_map(const struct conf_source *s, const struct conf_node *n,
	const char *path, struct conf_map *field)
{
	struct conf_map map = { 0 };
	const struct conf_node *c;
	struct conf_pair *pair;
	char at[PATH_ROOM];
	size_t i;

	map.v = conf_arena_array(s->arena, n->n, sizeof(*map.v));
	if (!map.v)
		return -ENOMEM;
	for (i = first(s, n); i < n->end; i = c->end) {
		c = &s->tree->v[i];
		if (!conf_node_null(c) &&
			!conf_value_text(
				s, c, key_path(at, path, c->key), false))
			continue;
		pair = &map.v[map.n++];
		if (copy_text(s, c->key, &pair->key) < 0 ||
			copy_text(s, conf_node_null(c) ? "" : c->text,
				&pair->value) < 0)
			return -ENOMEM;
	}
	*field = map;
	return 0;
}

/* One {start, end} or {single}: whether it is complete and in order. */
static bool read_range(const struct conf_source *s, const struct conf_node *n,
	const char *path, struct conf_range *range)
{
	int64_t start = 0, end = 0, single = 0;
	const struct conf_node *c;
	char at[PATH_ROOM];
	int64_t *part;
	size_t i;

	for (i = first(s, n); i < n->end; i = c->end) {
		c = &s->tree->v[i];
		part = strcmp(c->key, "start") == 0    ? &start
		       : strcmp(c->key, "end") == 0    ? &end
		       : strcmp(c->key, "single") == 0 ? &single
						       : NULL;
		if (part && c->plain && conf_number_read(c->text, part) &&
			*part >= 1 && *part <= UINT16_MAX)
			continue;
		conf_value_refuse(s, c, key_path(at, path, c->key), false,
			part ? "a number from 1 to 65535 is allowed"
			     : "unknown key (allowed: start, end, single)");
		return false;
	}
	if (single > 0)
		range->start = range->end = (uint16_t)single;
	else
		*range = (struct conf_range){ (uint16_t)start, (uint16_t)end };
	return single > 0 ? start == 0 && end == 0 : start > 0 && start <= end;
}

static int read_ranges(const struct conf_source *s, const struct conf_node *n,
	const char *path, struct conf_ranges *field)
{
	struct conf_ranges list = { 0 };
	const struct conf_node *c;
	char at[PATH_ROOM];
	size_t i, before;

	list.v = conf_arena_array(s->arena, n->n, sizeof(*list.v));
	if (!list.v)
		return -ENOMEM;
	for (i = first(s, n); i < n->end; i = c->end) {
		c = &s->tree->v[i];
		before = s->errors->n + s->errors->lost;
		item_path(at, path, c->index);
		if (c->kind == CONF_MAPPING &&
			read_range(s, c, at, &list.v[list.n]))
			list.n++;
		else if (s->errors->n + s->errors->lost == before)
			conf_value_refuse(s, c, at, false,
				"{start: A, end: B} with A up to B or "
				"{single: A} is allowed");
	}
	*field = list;
	return 0;
}

int conf_several_read(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, void *field)
{
	bool map = row->type == CONF_MAP;

	if (n->kind != (map ? CONF_MAPPING : CONF_SEQUENCE)) {
		conf_value_refuse(s, n, path, false,
			map ? "keys and values are allowed"
			    : "a list is allowed");
		return 0;
	}
	switch (row->type) {
	case CONF_STRINGS:
		return read_strings(s, n, path, field);
	case CONF_MAP:
		return read_map(s, n, path, field);
	case CONF_RANGES:
		return read_ranges(s, n, path, field);
	case CONF_WORDS:
		read_words(s, row, n, path, field);
		return 0;
	default:
		never_reached();
	}
}
