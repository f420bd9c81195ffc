/* SPDX-License-Identifier: Apache-2.0 */

/* How many workers there are to be, and how much of all else. */

#ifndef ADIT_SERVER_SIZING_H
#define ADIT_SERVER_SIZING_H

#include "common/base/compiler.h"
#include "server/settings.h"

/* `workers` says a number from now on: CPUs are counted once. */
void sizing_workers(struct settings *s);

/*
 * After that, and before anything is made of them: the limits that are not
 * given are lowered to what so many workers may take of `memory`, as conf_fit
 * says.
 */
void sizing_fit(struct settings *s, int64_t memory);

/*
 * Visitors that the descriptor limit allows, which is raised as far as it may
 * be: each needs one and one more for its work connection. What is less than
 * limits.visitors is warned of; 0: not even one, after an error in the log.
 */
uint32_t sizing_visitors(const struct settings *s, uint32_t workers) must_check;

#endif
