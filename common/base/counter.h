/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one thread counts: plain numbers of its own, one per row of
 * counter.def and one per close reason (reason.def).
 */

#ifndef ADIT_BASE_COUNTER_H
#define ADIT_BASE_COUNTER_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/reason.h"

enum counter {
#define COUNTER(name, text) COUNTER_##name,
#include "common/base/counter.def"
#undef COUNTER
	COUNTERS
};

struct counters {
	uint64_t value[COUNTERS];
	uint64_t ended[REASONS];
};

#define count(counters, name) ((counters)->value[COUNTER_##name]++)
#define count_add(counters, name, n) ((counters)->value[COUNTER_##name] += (n))

/* Count a wait for a work connection, of so many ns, in its class. */
void counters_wait(struct counters *c, int64_t waited);

/* Add to `sum` what another thread has counted. */
void counters_add(struct counters *sum, const struct counters *c);

/* Write " name=value" for each counter, reasons as " ended_name=value". */
void counters_print(const struct counters *c, FILE *out);

#endif
