/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/listing.h"

#include "common/event/mailbox.h"
#include "server/registry/registration.h"
#include "server/upgrade/awaited.h"

/* Records, written where there is room for them. */
struct listing {
	size_t size;
	uint8_t *to; /* NULL: they are only counted */
};

static void list(const char *name, uint16_t port, void *arg)
{
	struct listing *l = arg;

	l->size += awaited_size(name);
	if (l->to)
		l->to = awaited_write(l->to, name, port);
}

static void list_holder(void *holder, void *arg)
{
	const struct registration *r = holder;

	if (r->state != ENTRY_WITHDRAWING)
		list(claim_name(r->claim), r->port, arg);
}

static void list_all(
	struct listing *l, const struct names *n, const struct awaited *a)
{
	names_each(n, NAME_OF_PROXY, list_holder, l);
	awaited_each(a, list, l);
}

uint8_t *listing_make(
	const struct names *n, const struct awaited *a, size_t *size_r)
{
	struct listing l = { 0 };
	uint8_t *bytes = NULL;

	list_all(&l, n, a);
	*size_r = l.size;
	if (l.size > 0) {
		bytes = l.to = letter_new(l.size);
		list_all(&l, n, a);
	}
	return bytes;
}
