/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frame to message. The strings are jansson's own, so the JSON tree lives as
 * long as the message; arrays are made here and hang on it by a list. The
 * depth is measured before jansson, which recurses, sees the text.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/wire/frame.h"
#include "common/wire/schema.h"
#include "common/wire/tree.h"

/* An array that was made for the message; its items follow. */
struct block {
	struct block *next;
	max_align_t items[];
};

/* What a message owns. */
struct owned {
	json_t *tree;
	struct block *blocks;
};

struct decoder {
	struct message *message;
	struct owned *owned;
};

/* Field values lie in structs of many types: bytes are copied, not cast. */
#define PUT(at, value) memcpy((at), &(value), sizeof(value))

static int wrong(struct decoder *d, const char *key, const char *what)
{
	snprintf(d->message->error, sizeof(d->message->error), "\"%.40s\" %s",
		key, what);
	return -EBADMSG;
}

/* Zeroed room for `count` items, which goes with the message. */
static void *new_array(struct decoder *d, size_t count, size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + count * size);

	if (!b)
		return NULL;
	b->next = d->owned->blocks;
	d->owned->blocks = b;
	return b->items;
}

static int take_string(
	struct decoder *d, const char *key, json_t *v, const char **text_r)
{
	if (!json_is_string(v))
		return wrong(d, key, "is not a string");
	*text_r = json_string_value(v);
	return 0;
}

static int take_list(struct decoder *d, const char *key, json_t *v, uint8_t *at)
{
	struct message_list list = { 0 };

	if (!json_is_array(v))
		return wrong(d, key, "is not a list");
	list.items = new_array(d, json_array_size(v), sizeof(*list.items));
	if (!list.items)
		return -ENOMEM;
	for (; list.count < json_array_size(v); list.count++) {
		int r = take_string(d, key, json_array_get(v, list.count),
			&list.items[list.count]);
		if (r < 0)
			return r;
	}
	PUT(at, list);
	return 0;
}

static int take_map(struct decoder *d, const char *key, json_t *v, uint8_t *at)
{
	struct message_map map = { 0 };
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		return wrong(d, key, "is not an object");
	map.items = new_array(d, json_object_size(v), sizeof(*map.items));
	if (!map.items)
		return -ENOMEM;
	json_object_foreach(v, name, value)
	{
		struct message_pair *pair = &map.items[map.count++];
		int r = take_string(d, key, value, &pair->value);

		if (r < 0)
			return r;
		pair->key = name;
	}
	PUT(at, map);
	return 0;
}

static int take_object(struct decoder *d, const struct schema *s,
	const char *key, json_t *v, uint8_t *to);

static int take_objects(
	struct decoder *d, const struct schema_field *f, json_t *v, uint8_t *at)
{
	struct {
		size_t count;
		void *items;
	} list = { 0 };

	if (!json_is_array(v))
		return wrong(d, f->key, "is not a list");
	list.items = new_array(d, json_array_size(v), f->object->size);
	if (!list.items)
		return -ENOMEM;
	for (; list.count < json_array_size(v); list.count++) {
		int r = take_object(d, f->object, f->key,
			json_array_get(v, list.count),
			(uint8_t *)list.items + list.count * f->object->size);
		if (r < 0)
			return r;
	}
	PUT(at, list);
	return 0;
}

static int take_integer(
	struct decoder *d, const struct schema_field *f, json_t *v, uint8_t *at)
{
	int64_t number;

	if (!json_is_integer(v))
		return wrong(d, f->key, "is not an integer");
	number = json_integer_value(v);
	if (f->kind == SCHEMA_PORT && (number < 0 || number > UINT16_MAX))
		return wrong(d, f->key, "is not a port");
	PUT(at, number);
	return 0;
}

static int take_bool(
	struct decoder *d, const struct schema_field *f, json_t *v, uint8_t *at)
{
	bool value = json_is_true(v);

	if (!json_is_boolean(v))
		return wrong(d, f->key, "is not true or false");
	PUT(at, value);
	return 0;
}

static int take_field(
	struct decoder *d, const struct schema_field *f, json_t *v, uint8_t *at)
{
	const char *text;
	int r;

	switch (f->kind) {
	case SCHEMA_STRING:
		r = take_string(d, f->key, v, &text);
		if (r == 0)
			PUT(at, text);
		return r;
	case SCHEMA_BOOL:
		return take_bool(d, f, v, at);
	case SCHEMA_INT:
	case SCHEMA_PORT:
		return take_integer(d, f, v, at);
	case SCHEMA_LIST:
		return take_list(d, f->key, v, at);
	case SCHEMA_MAP:
		return take_map(d, f->key, v, at);
	case SCHEMA_OBJECT:
		return take_object(d, f->object, f->key, v, at);
	case SCHEMA_OBJECTS:
		return take_objects(d, f, v, at);
	}
	never_reached();
}

/* Every string is at least "", also in objects that are absent. */
static void set_defaults(const struct schema *s, uint8_t *to)
{
	static const char *const empty = "";

	for (const struct schema_field *f = s->fields(); f->key; f++) {
		if (f->kind == SCHEMA_STRING)
			PUT(to + f->offset, empty);
		else if (f->kind == SCHEMA_OBJECT)
			set_defaults(f->object, to + f->offset);
	}
}

/* Depth is that of message.def, not of the input. */
static int take_fields(
	struct decoder *d, const struct schema *s, json_t *v, uint8_t *to)
{
	const struct schema_field *fields = s->fields();
	uint32_t seen = 0;
	const char *key;
	json_t *value;

	json_object_foreach(v, key, value)
	{
		const struct schema_field *f = fields;
		uint32_t bit;
		int r;

		while (f->key && strcasecmp(f->key, key) != 0)
			f++;
		if (!f->key)
			continue;
		bit = UINT32_C(1) << (f - fields);
		if (seen & bit)
			return wrong(d, f->key, "is there twice");
		seen |= bit;
		r = json_is_null(value)
			    ? 0
			    : take_field(d, f, value, to + f->offset);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_object(struct decoder *d, const struct schema *s,
	const char *key, json_t *v, uint8_t *to)
{
	static const bool present = true;

	if (!json_is_object(v))
		return wrong(d, key, "is not an object");
	set_defaults(s, to);
	PUT(to, present);
	return take_fields(d, s, v, to);
}

/* Whether brackets go deeper than allowed. Strings are skipped. */
static bool too_deep(const uint8_t *text, size_t size)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		if (depth > MESSAGE_DEPTH_MAX)
			return true;
	}
	return false;
}

static const struct schema_message *find_type(uint8_t byte, int *type_r)
{
	for (int i = 0; i < MESSAGE_TYPES; i++) {
		if (schema_messages[i].byte == byte) {
			*type_r = i;
			return &schema_messages[i];
		}
	}
	return NULL;
}

static int parse(struct decoder *d, const uint8_t *body, size_t size)
{
	json_error_t error;

	if (too_deep(body, size)) {
		snprintf(d->message->error, sizeof(d->message->error),
			"JSON deeper than %d", MESSAGE_DEPTH_MAX);
		return -EBADMSG;
	}
	d->owned->tree = json_loadb(
		(const char *)body, size, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(d->owned->tree))
		return 0;
	if (!d->owned->tree &&
		json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	snprintf(d->message->error, sizeof(d->message->error),
		"bad JSON: %.60s",
		d->owned->tree ? "not an object" : error.text);
	return -EBADMSG;
}

int message_decode(const uint8_t *frame, size_t size, struct message *m,
	const char **error_r)
{
	struct decoder d = { .message = m };
	const struct schema_message *row;
	int type, r;

	memset(m, 0, sizeof(*m));
	*error_r = m->error;
	row = find_type(frame[0], &type);
	if (!row) {
		*error_r = "unknown type";
		return -EBADMSG;
	}
	m->type = (enum message_type)type;
	d.owned = calloc(1, sizeof(*d.owned));
	if (!d.owned)
		return -ENOMEM;
	m->owned = d.owned;
	set_defaults(&row->schema, (uint8_t *)&m->login);
	r = parse(&d, frame + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE);
	if (r == 0)
		r = take_fields(
			&d, &row->schema, d.owned->tree, (uint8_t *)&m->login);
	if (r < 0)
		message_clear(m);
	return r;
}

void message_clear(struct message *m)
{
	struct owned *o = m->owned;

	m->owned = NULL;
	if (!o)
		return;
	while (o->blocks) {
		struct block *b = o->blocks;

		o->blocks = b->next;
		free(b);
	}
	tree_free(o->tree);
	free(o);
}
