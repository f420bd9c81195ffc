/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/port_memory.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"

struct memory {
	UT_hash_handle hh;
	int64_t since;
	uint16_t port;
	char name[];
};

static struct memory *find(const struct port_memory *pm, const char *name)
{
	struct memory *m;

	HASH_FIND(hh, pm->table, name, strlen(name), m);
	return m;
}

static void drop(struct port_memory *pm, struct memory *m)
{
	HASH_DEL(pm->table, m);
	free(m);
}

uint16_t port_recall(
	const struct port_memory *pm, const char *name, int64_t now)
{
	const struct memory *m = find(pm, name);

	return m && now - m->since < PORT_MEMORY_TIME ? m->port : 0;
}

void port_remember(
	struct port_memory *pm, const char *name, uint16_t port, int64_t now)
{
	struct memory *m = find(pm, name);
	size_t n = strlen(name);

	/* uthash keeps the order of insertion: the first is the oldest. */
	if (!m && HASH_COUNT(pm->table) >= PORT_MEMORIES)
		drop(pm, pm->table);
	if (!m) {
		m = calloc(1, sizeof(*m) + n + 1);
		if (!m)
			return;
		memcpy(m->name, name, n + 1);
		HASH_ADD(hh, pm->table, name, n, m);
		if (!table_has(&m->hh)) {
			free(m);
			return;
		}
	}
	m->port = port;
	m->since = now;
}

void port_memory_clear(struct port_memory *pm)
{
	while (pm->table)
		drop(pm, pm->table);
}
