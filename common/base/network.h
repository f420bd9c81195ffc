/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A network: the addresses that share a prefix, such as 10.0.0.0/8 or
 * 2001:db8::/32. An IPv4 address and the same one mapped into IPv6 are one.
 */

#ifndef ADIT_BASE_NETWORK_H
#define ADIT_BASE_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/base/compiler.h"

struct address;

struct network {
	struct in6_addr base; /* an IPv4 one is mapped */
	unsigned bits;        /* of the prefix, 0 to 128 */
};

/*
 * From "address/bits", or an address, which is a network of one. -EINVAL:
 * it is none, or has bits behind its prefix.
 */
int network_parse(struct network *n_r, const char *text) must_check;

bool network_has(const struct network *n, const struct address *a);

#endif
