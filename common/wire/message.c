/* SPDX-License-Identifier: Apache-2.0 */

/* What all messages share: names, and letting go. */

#include "common/wire/message.h"

#include "common/wire/decode.h"
#include "common/wire/schema.h"

void message_clear(struct message *m)
{
	decode_free(m->owned);
	m->owned = NULL;
}

const char *message_name(enum message_type type)
{
	return schema_messages[type].name;
}
