/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bandwidth as frp writes it: a number, a fraction allowed, with KB (1024
 * bytes) or MB (1024 KB) behind it, a second.
 */

#ifndef ADIT_BASE_BANDWIDTH_H
#define ADIT_BASE_BANDWIDTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* Bytes a second. frp takes less for no limit, which nobody means. */
#define BANDWIDTH_MIN INT64_C(1024)
#define BANDWIDTH_MAX (INT64_C(1000000) << 20)

/* What to say of one that is none. */
#define BANDWIDTH_ALLOWED \
	"a number with KB or MB, such as 500KB or 1.5MB, is allowed"

/* In bytes a second; 0 for "", which is no limit. False: it is none. */
bool bandwidth_parse(const char *text, int64_t *rate_r) must_check;

#endif
