/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The messages of frp's wire v1 as structs, one for each row of message.def,
 * with the field names of its JSON. Zero and "" mean absent, as in frp.
 */

#ifndef ADIT_WIRE_MESSAGE_H
#define ADIT_WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/compiler.h"

/* Objects and arrays within each other, in one message. */
#define MESSAGE_DEPTH_MAX 16

/* A JSON array of strings. */
struct message_list {
	size_t count;
	const char **items;
};

/* A JSON object whose values are strings. */
struct message_pair {
	const char *key;
	const char *value;
};

struct message_map {
	size_t count;
	struct message_pair *items;
};

/* What adit.enc of a proxy, and adit.k of a ReqWorkConn, may say. */
#define PROXY_MEANS_PLAIN "plain"
#define TICKETS_PLAIN "p"

enum message_type {
#define OBJECT(...)
#define MESSAGE(id, name, byte, text) MESSAGE_##id,
#define FIELD(...)
#define GROUP(...)
#define END
#include "common/wire/message.def"
	MESSAGE_TYPES
};

#define MESSAGE_C_STRING(name) const char *name;
#define MESSAGE_C_BOOL(name) bool name;
#define MESSAGE_C_INT(name) int64_t name;
#define MESSAGE_C_PORT(name) int64_t name; /* 0 to 65535 when decoded */
#define MESSAGE_C_LIST(name) struct message_list name;
#define MESSAGE_C_MAP(name) struct message_map name;
#define MESSAGE_C_OBJECT(object, name) struct message_##object name;
#define MESSAGE_C_OBJECTS(object, name)         \
	struct {                                \
		size_t count;                   \
		struct message_##object *items; \
	} name;

/* An object knows whether it is there: `present`. */
#define OBJECT(name)            \
	struct message_##name { \
		bool present;
#define MESSAGE(id, name, byte, text) struct message_##name {
#define FIELD(kind, name, key, mode) MESSAGE_C_##kind(name)
#define GROUP(object, name, key, kind, mode) MESSAGE_C_##kind(object, name)
#define END \
	}   \
	;
#include "common/wire/message.def"

struct message {
	enum message_type type;
	void *owned; /* what a decoded message holds; private */
	char error[80];
	union {
#define OBJECT(...)
#define MESSAGE(id, name, byte, text) struct message_##name name;
#define FIELD(...)
#define GROUP(...)
#define END
#include "common/wire/message.def"
	};
};

/*
 * Decode one whole frame of `size` bytes, as frame_peek() found it. 0, and the
 * caller calls message_clear(): strings and arrays belong to the message and
 * no string is NULL. Or, with nothing to clear, -EBADMSG and what is wrong in
 * *error_r (static, or within *m), or -ENOMEM.
 *
 * Refused are bodies that are not one JSON object, keys given twice (also when
 * they differ by case, as frp takes keys in any case), values of another type,
 * NULs, and depth beyond MESSAGE_DEPTH_MAX. Unknown keys are ignored; null is
 * absent.
 */
int message_decode(const uint8_t *frame, size_t size, struct message *m,
	const char **error_r) must_check;

/*
 * Write the message as one frame. The size in bytes; -EMSGSIZE if it exceeds
 * `size` or FRAME_MAX; -EINVAL if a string is not UTF-8 (or memory too short to
 * tell); -ENOMEM. A NULL string counts as "".
 */
ssize_t message_encode(
	const struct message *m, uint8_t *out, size_t size) must_check;

/* Free what a decoded message holds. */
void message_clear(struct message *m);

/* frp's name of the type, such as "NewProxy". */
const char *message_name(enum message_type type);

#endif
