/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/cpus.h"

#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cgroup.h"

/* CPUs that this much time (us) of a period (us) is; 0: no limit. */
static int64_t to_cpus(int64_t quota, int64_t period)
{
	int64_t n;

	if (quota <= 0 || period <= 0 || quota > INT64_MAX - period)
		return 0;
	n = (quota + period - 1) / period;
	return n > INT32_MAX ? 0 : n;
}

/* "max 100000" or "150000 100000". */
static int64_t quota_v2(const char *dir)
{
	int64_t quota, period;
	char line[64];

	if (!cgroup_read(dir, "cpu.max", line, sizeof(line)) ||
		sscanf(line, "%" SCNd64 " %" SCNd64, &quota, &period) != 2)
		return 0;
	return to_cpus(quota, period);
}

/* Two files; -1 is no limit. */
static int64_t quota_v1(const char *dir)
{
	char line[64];
	int64_t quota;

	if (!cgroup_read(dir, "cpu.cfs_quota_us", line, sizeof(line)))
		return 0;
	quota = strtoll(line, NULL, 10);
	if (!cgroup_read(dir, "cpu.cfs_period_us", line, sizeof(line)))
		return 0;
	return to_cpus(quota, strtoll(line, NULL, 10));
}

int cpus_quota(const char *root)
{
	return (int)cgroup_least(root, "cpu", quota_v1, quota_v2);
}

int cpus_available(const char *root)
{
	cpu_set_t set;
	int n = 1, quota = cpus_quota(root);

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	if (quota > 0 && quota < n)
		n = quota;
	return n > 0 ? n : 1;
}
