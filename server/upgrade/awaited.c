/* SPDX-License-Identifier: Apache-2.0 */

/* One object in two uthash tables: all by name, those that have one by port. */

#include "server/upgrade/awaited.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"

struct awaited_proxy {
	UT_hash_handle hh, hh_port;
	uint16_t port;
	char name[];
};

size_t awaited_size(const char *name)
{
	return sizeof(uint16_t) + strlen(name) + 1;
}

uint8_t *awaited_write(uint8_t *to, const char *name, uint16_t port)
{
	size_t n = strlen(name) + 1;

	memcpy(to, &port, sizeof(port));
	memcpy(to + sizeof(port), name, n);
	return to + sizeof(port) + n;
}

/* The first record's size; 0: it is none, or not whole. */
static size_t record_size(const uint8_t *bytes, size_t size)
{
	const uint8_t *end = NULL;

	if (size > sizeof(uint16_t))
		end = memchr(bytes + sizeof(uint16_t), '\0',
			size - sizeof(uint16_t));
	return end ? (size_t)(end - bytes) + 1 : 0;
}

size_t awaited_piece(const uint8_t *bytes, size_t size, size_t most)
{
	size_t at = 0, n;

	while ((n = record_size(bytes + at, size - at)) > 0 && n <= most - at)
		at += n;
	return at;
}

static struct awaited_proxy *find(const struct awaited *a, const char *name)
{
	struct awaited_proxy *p;

	HASH_FIND(hh, a->by_name, name, strlen(name), p);
	return p;
}

static struct awaited_proxy *find_port(const struct awaited *a, uint16_t port)
{
	struct awaited_proxy *p;

	HASH_FIND(hh_port, a->by_port, &port, sizeof(port), p);
	return p;
}

static void drop(struct awaited *a, struct awaited_proxy *p)
{
	HASH_DELETE(hh, a->by_name, p);
	if (p->port)
		HASH_DELETE(hh_port, a->by_port, p);
	free(p);
}

static int add(struct awaited *a, const char *name, uint16_t port)
{
	struct awaited_proxy *p;
	size_t n = strlen(name);

	/* Each name and each port is one proxy's: the first one's. */
	if (find(a, name) || (port && find_port(a, port)))
		return 0;
	p = calloc(1, sizeof(*p) + n + 1);
	if (!p)
		return -ENOMEM;
	memcpy(p->name, name, n);
	p->port = port;
	HASH_ADD(hh, a->by_name, name, n, p);
	if (!table_has(&p->hh)) {
		free(p);
		return -ENOMEM;
	}
	if (!port)
		return 0;
	HASH_ADD(hh_port, a->by_port, port, sizeof(p->port), p);
	if (table_has(&p->hh_port))
		return 0;
	HASH_DELETE(hh, a->by_name, p);
	free(p);
	return -ENOMEM;
}

int awaited_read(struct awaited *a, const uint8_t *bytes, size_t size)
{
	int rc = 0;

	while (rc == 0 && size > 0) {
		size_t n = record_size(bytes, size);
		uint16_t port;

		if (n == 0)
			return -EPROTO;
		memcpy(&port, bytes, sizeof(port));
		rc = add(a, (const char *)bytes + sizeof(port), port);
		bytes += n;
		size -= n;
	}
	return rc;
}

bool awaited_drop(struct awaited *a, const char *name)
{
	struct awaited_proxy *p = find(a, name);

	if (p)
		drop(a, p);
	return p;
}

void awaited_each(const struct awaited *a,
	void (*visit)(const char *name, uint16_t port, void *arg), void *arg)
{
	for (struct awaited_proxy *p = a->by_name; p; p = p->hh.next)
		visit(p->name, p->port, arg);
}

size_t awaited_count(const struct awaited *a)
{
	return HASH_CNT(hh, a->by_name);
}

const char *awaited_owner(const struct awaited *a, uint16_t port)
{
	const struct awaited_proxy *p = find_port(a, port);

	return p ? p->name : NULL;
}

void awaited_clear(struct awaited *a)
{
	while (a->by_name)
		drop(a, a->by_name);
}
