/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proxies that there are, and that are awaited, for the aditd that takes
 * over: records of server/upgrade/awaited.h.
 */

#ifndef ADIT_SERVER_REGISTRY_LISTING_H
#define ADIT_SERVER_REGISTRY_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct awaited;
struct names;

/* From malloc, the caller's; NULL: there are none. */
uint8_t *listing_make(const struct names *n, const struct awaited *a,
	size_t *size_r) must_check;

#endif
