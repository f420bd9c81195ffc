/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/fit.h"

#include <assert.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/conf/conf.h"

static long long mib(int64_t bytes)
{
	return bytes >> 20;
}

void conf_fit(const struct conf *conf, const struct conf_fit *fits, size_t n,
	int64_t more, int64_t memory)
{
	struct memory_need needs[CONF_FITS];
	int64_t takes;

	assert(n <= CONF_FITS);
	if (memory == 0)
		return;
	for (size_t i = 0; i < n; i++)
		needs[i] = (struct memory_need){ *fits[i].count, fits[i].least,
			fits[i].each, conf_given(conf, fits[i].key) };
	takes = more + memory_fit(needs, n, memory / 2 - more);
	for (size_t i = 0; i < n; i++) {
		if (needs[i].count == *fits[i].count)
			continue;
		log_info("%s = %lld instead of %lld: memory is limited to "
			 "%lld MiB",
			fits[i].key, (long long)needs[i].count,
			(long long)*fits[i].count, mib(memory));
		*fits[i].count = needs[i].count;
	}
	if (takes > memory / 2)
		log_warn("the limits may take %lld MiB, and more for who "
			 "blocks: memory is limited to %lld MiB (lower "
			 "limits.*, or leave them out)",
			mib(takes), mib(memory));
}
