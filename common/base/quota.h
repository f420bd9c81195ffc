/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many of a thing there may be at once in the whole program, on all
 * workers. Set up before they start.
 */

#ifndef ADIT_BASE_QUOTA_H
#define ADIT_BASE_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct quota {
	_Atomic uint32_t used;
	uint32_t limit;
};

/* Any thread: one more, or false at the limit; and one less. */
bool quota_take(struct quota *q) must_check;
void quota_give(struct quota *q);

#endif
