/* SPDX-License-Identifier: Apache-2.0 */

/* Quotas of made-up cgroups, version 1 and 2, below a directory. */
// links: common/base/cpus.c common/base/cgroup.c
// libs:

#include "common/base/cpus.h"

#include <criterion/criterion.h>
#include <sched.h>

#include "tests/unit/made_up_tree.h"

struct row {
	const char *what;
	int quota;
	struct tree_file files[TREE_FILES];
};

static const struct row rows[] = {
	{ "no cgroup at all", 0, { { 0 } } },
	{ "version 2 without a limit", 0,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/cpu.max", "max 100000\n" } } },
	{ "version 2, two CPUs", 2,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/cpu.max", "200000 100000\n" } } },
	{ "version 2, a part counts as one", 2,
		{ { "proc/self/cgroup", "0::/a\n" },
			{ "sys/fs/cgroup/a/cpu.max", "110000 100000\n" } } },
	{ "version 2, a group above is narrower", 1,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/cpu.max", "800000 100000\n" },
			{ "sys/fs/cgroup/a/cpu.max", "50000 100000\n" } } },
	{ "version 2, at the root of a namespace", 3,
		{ { "proc/self/cgroup", "0::/\n" },
			{ "sys/fs/cgroup/cpu.max", "300000 100000\n" } } },
	{ "version 1", 4,
		{ { "proc/self/cgroup",
			  "5:memory:/x\n4:cpu,cpuacct:/docker/1\n" },
			{ "sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us",
				"400000\n" },
			{ "sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us",
				"100000\n" } } },
	{ "version 1 without a limit", 0,
		{ { "proc/self/cgroup", "4:cpuacct,cpu:/d\n" },
			{ "sys/fs/cgroup/cpu/d/cpu.cfs_quota_us", "-1\n" },
			{ "sys/fs/cgroup/cpu/d/cpu.cfs_period_us",
				"100000\n" } } },
	{ "version 1, seen at the mount's root only", 2,
		{ { "proc/self/cgroup", "4:cpu:/docker/gone\n" },
			{ "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n" },
			{ "sys/fs/cgroup/cpu/cpu.cfs_period_us",
				"100000\n" } } },
	{ "cpuset is another controller", 0,
		{ { "proc/self/cgroup", "3:cpuset:/a\n" },
			{ "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "1000\n" },
			{ "sys/fs/cgroup/cpu/a/cpu.cfs_period_us",
				"1000\n" } } },
	{ "nonsense", 0,
		{ { "proc/self/cgroup", "0::/a\nx\n::\n" },
			{ "sys/fs/cgroup/a/cpu.max", "a b\n" } } },
};

Test(cpus, quotas)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char root[] = TREE_ROOT;

		tree_make(root, rows[i].files);
		cr_expect_eq(
			cpus_quota(root), rows[i].quota, "%s", rows[i].what);
		tree_remove(root);
	}
}

Test(cpus, affinity)
{
	cpu_set_t one;

	cr_assert_geq(cpus_available(""), 1);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(cpus_available(""), 1);
}
