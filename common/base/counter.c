/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/counter.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

static const char *const names[] = {
#define COUNTER(name, text) #name,
#include "common/base/counter.def"
#undef COUNTER
};

void counters_wait(struct counters *c, int64_t waited)
{
	static const struct {
		int64_t most;
		enum counter counter;
	} classes[] = {
		{ CLOCK_MS, COUNTER_waits_1ms },
		{ 10 * CLOCK_MS, COUNTER_waits_10ms },
		{ 100 * CLOCK_MS, COUNTER_waits_100ms },
		{ CLOCK_SECOND, COUNTER_waits_1s },
		{ INT64_MAX, COUNTER_waits_longer },
	};
	int i = 0;

	while (waited > classes[i].most)
		i++;
	c->value[classes[i].counter]++;
}

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
