/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/half_open.h"

#include "common/crypto/random.h"

void half_open_init(struct half_open *h)
{
	random_bytes(&h->secret, sizeof(h->secret));
	h->secret |= 1;
}

uint32_t half_open_place(const struct half_open *h, const struct address *a)
{
	/* The upper bits of a product depend on all of the lower ones. */
	return (uint32_t)(address_network(a) * h->secret >> 52) &
	       (HALF_OPEN_PLACES - 1);
}

/* One more, beyond what is expected at most `max`. */
static bool take(struct half_open_count *c, uint32_t max)
{
	uint32_t open = atomic_load(&c->open);

	do {
		if (open >= max + atomic_load(&c->expected))
			return false;
	} while (!atomic_compare_exchange_weak(&c->open, &open, open + 1));
	return true;
}

enum half_open_room half_open_enter(
	struct half_open *h, uint32_t place, bool resumes)
{
	enum half_open_room room = HALF_OPEN_NONE;

	if (take(&h->all, HALF_OPEN_OF_ANYBODY))
		room = HALF_OPEN_ANY;
	else if (resumes && take(&h->all, HALF_OPEN_MAX))
		room = HALF_OPEN_KNOWN;
	if (room == HALF_OPEN_NONE ||
		take(&h->places[place], HALF_OPEN_OF_ADDRESS))
		return room;
	atomic_fetch_sub(&h->all.open, 1);
	return HALF_OPEN_NONE;
}

void half_open_leave(struct half_open *h, uint32_t place)
{
	atomic_fetch_sub(&h->places[place].open, 1);
	atomic_fetch_sub(&h->all.open, 1);
}

void half_open_expect(struct half_open *h, uint32_t place, int32_t change)
{
	atomic_fetch_add(&h->places[place].expected, (uint32_t)change);
	atomic_fetch_add(&h->all.expected, (uint32_t)change);
}

uint32_t half_open_expected(const struct half_open *h)
{
	return atomic_load(&h->all.expected);
}
