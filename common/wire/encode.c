/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Message to frame. The keys come in the order of message.def, which is frp's;
 * zero values are left out, as frp does.
 */

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/wire/frame.h"
#include "common/wire/schema.h"
#include "common/wire/tree.h"

/* Copies a field out of its struct, whose type is not known here. */
#define GET(value, at) memcpy(&(value), (at), sizeof(value))

/* What the fields become; each maker returns a new value or NULL. */

static json_t *make_string(const char *text)
{
	return json_string(text ? text : "");
}

static json_t *make_list(const uint8_t *at)
{
	json_t *array = json_array();
	struct message_list list;

	GET(list, at);
	for (size_t i = 0; i < list.count; i++) {
		if (json_array_append_new(array, make_string(list.items[i])) <
			0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *make_map(const uint8_t *at)
{
	json_t *object = json_object();
	struct message_map map;

	GET(map, at);
	for (size_t i = 0; i < map.count; i++) {
		const struct message_pair *pair = &map.items[i];

		if (json_object_set_new(
			    object, pair->key, make_string(pair->value)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *make_object(const struct schema *s, const uint8_t *from);

static json_t *make_objects(const struct schema *s, const uint8_t *at)
{
	json_t *array = json_array();
	struct {
		size_t count;
		const uint8_t *items;
	} list;

	GET(list, at);
	for (size_t i = 0; i < list.count; i++) {
		if (json_array_append_new(array,
			    make_object(s, list.items + i * s->size)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *make_field(const struct schema_field *f, const uint8_t *at)
{
	const char *text;
	int64_t number;
	bool flag;

	switch (f->kind) {
	case SCHEMA_STRING:
		GET(text, at);
		return make_string(text);
	case SCHEMA_BOOL:
		GET(flag, at);
		return json_boolean(flag);
	case SCHEMA_INT:
	case SCHEMA_PORT:
		GET(number, at);
		return json_integer(number);
	case SCHEMA_LIST:
		return make_list(at);
	case SCHEMA_MAP:
		return make_map(at);
	case SCHEMA_OBJECT:
		return make_object(f->object, at);
	case SCHEMA_OBJECTS:
		return make_objects(f->object, at);
	}
	never_reached();
}

static bool is_zero(const struct schema_field *f, const uint8_t *at)
{
	const char *text;
	int64_t number;
	size_t items;
	bool flag;

	switch (f->kind) {
	case SCHEMA_STRING:
		GET(text, at);
		return !text || !*text;
	case SCHEMA_BOOL:
	case SCHEMA_OBJECT:
		/* An object begins with `present`. */
		GET(flag, at);
		return !flag;
	case SCHEMA_INT:
	case SCHEMA_PORT:
		GET(number, at);
		return number == 0;
	case SCHEMA_LIST:
	case SCHEMA_MAP:
	case SCHEMA_OBJECTS:
		/* All three begin with their count. */
		GET(items, at);
		return items == 0;
	}
	never_reached();
}

static json_t *make_object(const struct schema *s, const uint8_t *from)
{
	json_t *object = json_object();

	for (const struct schema_field *f = s->fields(); f->key; f++) {
		const uint8_t *at = from + f->offset;

		if (!f->keep && is_zero(f, at))
			continue;
		/* Without a value (no memory, not UTF-8) it fails, too. */
		if (json_object_set_new(object, f->key, make_field(f, at)) <
			0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

ssize_t message_encode(const struct message *m, uint8_t *out, size_t size)
{
	const struct schema_message *row = &schema_messages[m->type];
	json_t *body;
	size_t n;

	if (size > FRAME_MAX)
		size = FRAME_MAX;
	if (size < FRAME_HEADER_SIZE)
		return -EMSGSIZE;
	body = make_object(&row->schema, (const uint8_t *)&m->login);
	if (!body)
		return -EINVAL;
	n = json_dumpb(body, (char *)out + FRAME_HEADER_SIZE,
		size - FRAME_HEADER_SIZE, JSON_COMPACT);
	tree_free(body);
	if (n == 0)
		return -ENOMEM;
	if (n > size - FRAME_HEADER_SIZE)
		return -EMSGSIZE;
	frame_header(out, row->byte, n);
	return (ssize_t)(FRAME_HEADER_SIZE + n);
}
