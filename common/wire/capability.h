/* SPDX-License-Identifier: Apache-2.0 */

/* What both ends of a session can do beyond frp: a set of capabilities. */

#ifndef ADIT_WIRE_CAPABILITY_H
#define ADIT_WIRE_CAPABILITY_H

#include "common/wire/message.h"

enum capability_index {
#define CAPABILITY(name, text) CAPABILITY_INDEX_##name,
#include "common/wire/capability.def"
#undef CAPABILITY
	CAPABILITIES
};

/* One bit each. */
enum capability {
#define CAPABILITY(name, text) CAPABILITY_##name = 1 << CAPABILITY_INDEX_##name,
#include "common/wire/capability.def"
#undef CAPABILITY
	CAPABILITY_all = (1 << CAPABILITIES) - 1
};

/* The set that an extension names; unknown ones are ignored. */
unsigned capability_read(const struct message_extension *e);

/* Write the set into an extension; `names` is its memory. */
void capability_write(struct message_extension *e, unsigned set,
	const char *names[static CAPABILITIES]);

#endif
