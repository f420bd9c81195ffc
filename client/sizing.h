/* SPDX-License-Identifier: Apache-2.0 */

/* How many workers there are to be, and how much of all else. */

#ifndef ADIT_CLIENT_SIZING_H
#define ADIT_CLIENT_SIZING_H

#include "client/settings.h"

/* `workers` says a number from now on: CPUs are counted once. */
void sizing_workers(struct settings *s);

/*
 * After that, and before anything is made of them: the limits that are not
 * given are lowered to what so many workers may take of `memory`, as conf_fit
 * says.
 */
void sizing_fit(struct settings *s, int64_t memory);

#endif
