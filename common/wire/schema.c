/* SPDX-License-Identifier: Apache-2.0 */

/*
 * message.def, expanded to tables. Each list of fields stands in a function
 * only because a row has to name the struct it is in: `struct_here`.
 */

#include "common/wire/schema.h"

#define OMIT false
#define KEEP true

#define BEGIN(name)                                              \
	static const struct schema_field *fields_of_##name(void) \
	{                                                        \
		typedef struct message_##name struct_here;       \
		static const struct schema_field fields[] = {
#define OBJECT(name)                                              \
	static const struct schema_field *fields_of_##name(void); \
	static const struct schema schema_of_##name = {           \
		.size = sizeof(struct message_##name),            \
		.fields = fields_of_##name,                       \
	};                                                        \
	BEGIN(name)
#define MESSAGE(id, name, byte, text) BEGIN(name)
#define FIELD(type, name, json, mode)                  \
	{                                              \
		.key = (json),                         \
		.kind = SCHEMA_##type,                 \
		.keep = (mode),                        \
		.offset = offsetof(struct_here, name), \
	},
#define GROUP(of, name, json, type, mode)              \
	{                                              \
		.key = (json),                         \
		.kind = SCHEMA_##type,                 \
		.keep = (mode),                        \
		.offset = offsetof(struct_here, name), \
		.object = &schema_of_##of,             \
	},
#define END                                                                   \
	{ .key = NULL },                                                      \
	}                                                                     \
	;                                                                     \
	_Static_assert(sizeof(fields) / sizeof(*fields) <= SCHEMA_FIELDS_MAX, \
		"too many fields");                                           \
	(void)sizeof(struct_here);                                            \
	return fields;                                                        \
	}
#include "common/wire/message.def"

const struct schema_message schema_messages[MESSAGE_TYPES] = {
#define OBJECT(...)
#define MESSAGE(id, noun, type, text) \
	[MESSAGE_##id] = { \
		.name = (text), \
		.byte = (type), \
		.schema = { \
			.size = sizeof(struct message_##noun), \
			.fields = fields_of_##noun, \
		}, \
	},
#define FIELD(...)
#define GROUP(...)
#define END
#include "common/wire/message.def"
};

const char *message_name(enum message_type type)
{
	return schema_messages[type].name;
}
