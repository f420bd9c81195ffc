/* SPDX-License-Identifier: Apache-2.0 */

/*
 * message.def as data: where each field lies in its struct and what it is in
 * JSON. Private to this room.
 */

#ifndef ADIT_WIRE_SCHEMA_H
#define ADIT_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/message.h"

enum schema_kind {
	SCHEMA_STRING,  /* const char * */
	SCHEMA_BOOL,    /* bool */
	SCHEMA_INT,     /* int64_t */
	SCHEMA_PORT,    /* int64_t, 0 to 65535 */
	SCHEMA_LIST,    /* struct message_list */
	SCHEMA_MAP,     /* struct message_map */
	SCHEMA_OBJECT,  /* a struct that begins with `bool present` */
	SCHEMA_OBJECTS, /* a count and a pointer to that many such structs */
};

struct schema_field {
	const char *key; /* NULL: the end of the fields */
	enum schema_kind kind;
	bool keep;                   /* written even when zero */
	size_t offset;               /* in the struct of its schema */
	const struct schema *object; /* of OBJECT and OBJECTS */
};

/* A decoder keeps one bit a field of one object. */
#define SCHEMA_FIELDS_MAX 32

/* One object or message. */
struct schema {
	size_t size; /* of its struct, bytes */
	const struct schema_field *(*fields)(void);
};

struct schema_message {
	const char *name;
	uint8_t byte; /* its type on the wire */
	struct schema schema;
};

/* By enum message_type. */
extern const struct schema_message schema_messages[MESSAGE_TYPES];

#endif
