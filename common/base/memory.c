/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/memory.h"

#include <stdlib.h>

#include "common/base/cgroup.h"

/* "max", or a number; version 1 says no limit by one that nobody has. */
static int64_t to_limit(const char *dir, const char *file)
{
	char line[64];
	int64_t n;

	if (!cgroup_read(dir, file, line, sizeof(line)))
		return 0;
	n = strtoll(line, NULL, 10);
	return n > 0 && n < INT64_MAX / 2 ? n : 0;
}

static int64_t limit_v1(const char *dir)
{
	return to_limit(dir, "memory.limit_in_bytes");
}

static int64_t limit_v2(const char *dir)
{
	return to_limit(dir, "memory.max");
}

int64_t memory_limit(const char *root)
{
	return cgroup_least(root, "memory", limit_v1, limit_v2);
}

/* The bytes of those that are fixed, or of the others. */
static int64_t sum(const struct memory_need *needs, size_t n, bool fixed)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		if (needs[i].fixed == fixed)
			bytes += needs[i].count * needs[i].each;
	return bytes;
}

int64_t memory_fit(struct memory_need *needs, size_t n, int64_t bytes)
{
	int64_t fixed = sum(needs, n, true), other = sum(needs, n, false);
	int64_t left = bytes > fixed ? bytes - fixed : 0;

	for (size_t i = 0; other > left && i < n; i++) {
		struct memory_need *need = &needs[i];
		int64_t count = (int64_t)((double)need->count * (double)left /
					  (double)other);

		if (need->fixed)
			continue;
		if (count < need->least)
			count = need->least;
		if (count < need->count)
			need->count = count;
	}
	return fixed + sum(needs, n, false);
}
