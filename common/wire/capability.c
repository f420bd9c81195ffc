/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/capability.h"

#include <string.h>

static const char *const texts[] = {
#define CAPABILITY(name, text) text,
#include "common/wire/capability.def"
#undef CAPABILITY
};

unsigned capability_read(const struct message_extension *e)
{
	unsigned set = 0;

	for (size_t i = 0; e->present && i < e->caps.count; i++)
		for (unsigned k = 0; k < CAPABILITIES; k++)
			if (!strcmp(e->caps.items[i], texts[k]))
				set |= 1u << k;
	return set;
}

void capability_write(struct message_extension *e, unsigned set,
	const char *names[static CAPABILITIES])
{
	e->present = true;
	e->v = 1;
	e->caps.items = names;
	e->caps.count = 0;
	for (unsigned k = 0; k < CAPABILITIES; k++)
		if (set & 1u << k)
			names[e->caps.count++] = texts[k];
}
