/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bucket is one time, as in the generic cell rate algorithm (ITU-T I.371):
 * each failure moves it on by FAILURES_PAUSE, from now at least.
 */

#include "server/failures.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/crypto/random.h"

/* No address: the discard prefix 100::/64 of IPv6 (RFC 6666). */
#define NOBODY UINT64_C(0x0100000000000000)
/* IPv4 addresses lie in ::ffff:0:0:0/96, where no IPv6 network is. */
#define V4 UINT64_C(0x0000ffff00000000)

void failures_init(struct failures *f)
{
	random_bytes(&f->secret, sizeof(f->secret));
	f->secret |= 1;
	for (size_t i = 0; i < FAILURES_SETS; i++)
		for (size_t k = 0; k < FAILURES_WAYS; k++)
			atomic_init(&f->entries[i][k].address, NOBODY);
}

/* The address, or the network of 64 bits that it is in. */
static uint64_t key_of(const struct address *a)
{
	const uint8_t *bytes;
	uint64_t key = 0;
	int from = 0, to = 8;

	if (a->size == 0)
		return NOBODY;
	if (a->any.sa_family == AF_INET)
		return V4 | ntohl(a->v4.sin_addr.s_addr);
	bytes = a->v6.sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		key = V4 >> 32;
		from = 12;
		to = 16;
	}
	for (int i = from; i < to; i++)
		key = key << 8 | bytes[i];
	return key;
}

static struct failures_entry *set_of(struct failures *f, uint64_t key)
{
	/* The upper bits of a product depend on all of the lower ones. */
	return f->entries[(key * f->secret) >> 54 & (FAILURES_SETS - 1)];
}

static struct failures_entry *find(struct failures *f, uint64_t key)
{
	struct failures_entry *set = set_of(f, key);

	for (size_t i = 0; i < FAILURES_WAYS; i++)
		if (atomic_load(&set[i].address) == key)
			return &set[i];
	return NULL;
}

int64_t failures_wait(struct failures *f, const struct address *a, int64_t now)
{
	struct failures_entry *e = find(f, key_of(a));
	int64_t full = now + (FAILURES_BURST - 1) * FAILURES_PAUSE;
	int64_t clear = e ? atomic_load(&e->clear) : 0;

	return clear > full ? clear - full : 0;
}

/* The place whose failures are the longest ago. */
static struct failures_entry *displace(struct failures *f, uint64_t key)
{
	struct failures_entry *set = set_of(f, key), *oldest = set;

	for (size_t i = 1; i < FAILURES_WAYS; i++)
		if (atomic_load(&set[i].clear) < atomic_load(&oldest->clear))
			oldest = &set[i];
	atomic_store(&oldest->clear, 0);
	atomic_store(&oldest->address, key);
	return oldest;
}

void failures_count(struct failures *f, const struct address *a, int64_t now)
{
	uint64_t key = key_of(a);
	struct failures_entry *e = find(f, key);
	int64_t clear, next;

	if (key == NOBODY)
		return;
	if (!e)
		e = displace(f, key);
	clear = atomic_load(&e->clear);
	do {
		next = (clear > now ? clear : now) + FAILURES_PAUSE;
	} while (!atomic_compare_exchange_weak(&e->clear, &clear, next));
}
