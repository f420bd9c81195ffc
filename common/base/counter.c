/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/counter.h"

#include <inttypes.h>

static const char *const names[] = {
#define COUNTER(name, text) #name,
#include "common/base/counter.def"
#undef COUNTER
};

void counters_add(struct counters *sum, const struct counters *c)
{
	for (int i = 0; i < COUNTERS; i++)
		sum->value[i] += c->value[i];
	for (int i = 0; i < REASONS; i++)
		sum->ended[i] += c->ended[i];
}

void counters_print(const struct counters *c, FILE *out)
{
	for (int i = 0; i < COUNTERS; i++)
		fprintf(out, " %s=%" PRIu64, names[i], c->value[i]);
	for (int i = 0; i < REASONS; i++)
		fprintf(out, " ended_%s=%" PRIu64, reason_name(i), c->ended[i]);
}
