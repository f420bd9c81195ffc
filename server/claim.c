/* SPDX-License-Identifier: Apache-2.0 */

#include "server/claim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct claim *claim_new(enum claim_kind kind, const char *name,
	char *const *hosts, size_t host_count)
{
	size_t size = offsetof(struct claim, text) + strlen(name) + 1;
	struct claim *c;
	char *at;

	for (size_t i = 0; i < host_count; i++)
		size += strlen(hosts[i]) + 1;
	c = calloc(1, size);
	if (!c)
		return NULL;
	c->size = (uint32_t)size;
	c->kind = (uint8_t)kind;
	c->hosts = (uint32_t)host_count;
	at = stpcpy(c->text, name) + 1;
	for (size_t i = 0; i < host_count; i++)
		at = stpcpy(at, hosts[i]) + 1;
	return c;
}

struct claim *claim_copy(const struct claim *c)
{
	struct claim *copy = malloc(c->size);

	if (copy)
		memcpy(copy, c, c->size);
	return copy;
}

const char *claim_first_host(const struct claim *c)
{
	return c->hosts ? claim_next_host(c, c->text) : NULL;
}

const char *claim_next_host(const struct claim *c, const char *host)
{
	const char *next = host + strlen(host) + 1;

	return next < (const char *)c + c->size ? next : NULL;
}
