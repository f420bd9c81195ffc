/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"

#define BITS 128
#define BITS_V4 32

static struct in6_addr map(struct in_addr v4)
{
	struct in6_addr out = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(out.s6_addr + 12, &v4, sizeof(v4));
	return out;
}

/* Whether the first `bits` bits are the same. */
static bool same_prefix(
	const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a->s6_addr, b->s6_addr, bytes) != 0)
		return false;
	return rest == 0 ||
	       (a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest) == 0;
}

static bool ends_in_zeros(const struct network *n)
{
	for (unsigned i = n->bits; i < BITS; i++)
		if (n->base.s6_addr[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

int network_parse(struct network *n_r, const char *text)
{
	char ip[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;
	struct network n;
	unsigned most = BITS, bits;
	int end = 0;

	if (sscanf(text, "%45[0-9a-fA-F:.]%n", ip, &end) != 1)
		return -EINVAL;
	if (inet_pton(AF_INET, ip, &v4) == 1) {
		n.base = map(v4);
		most = BITS_V4;
	} else if (inet_pton(AF_INET6, ip, &n.base) != 1) {
		return -EINVAL;
	}
	bits = most;
	text += end;
	if (*text == '/') {
		/* Digits only, no sign and no space, which %u would take. */
		if (strspn(text + 1, "0123456789") != strlen(text + 1) ||
			strlen(text + 1) == 0 || strlen(text + 1) > 3)
			return -EINVAL;
		bits = (unsigned)strtoul(text + 1, NULL, 10);
	} else if (*text) {
		return -EINVAL;
	}
	if (bits > most)
		return -EINVAL;
	n.bits = BITS - most + bits;
	if (!ends_in_zeros(&n))
		return -EINVAL;
	*n_r = n;
	return 0;
}

bool network_has(const struct network *n, const struct address *a)
{
	struct in6_addr mapped;

	if (a->any.sa_family == AF_INET)
		mapped = map(a->v4.sin_addr);
	else if (a->any.sa_family == AF_INET6)
		mapped = a->v6.sin6_addr;
	else
		return false;
	return same_prefix(&n->base, &mapped, n->bits);
}
