/* SPDX-License-Identifier: Apache-2.0 */

/* Limits of made-up cgroups, version 1 and 2; counts that are made to fit. */
// links: common/base/memory.c common/base/cgroup.c
// libs:

#include "common/base/memory.h"

#include <criterion/criterion.h>

#include "tests/unit/made_up_tree.h"

#define MIB (INT64_C(1) << 20)

struct row {
	const char *what;
	int64_t limit;
	struct tree_file files[TREE_FILES];
};

static const struct row rows[] = {
	{ "no cgroup at all", 0, { { 0 } } },
	{ "version 2 without a limit", 0,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/memory.max", "max\n" } } },
	{ "version 2", 64 * MIB,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/memory.max", "67108864\n" } } },
	{ "version 2, a group above is narrower", 32 * MIB,
		{ { "proc/self/cgroup", "0::/a/b\n" },
			{ "sys/fs/cgroup/a/b/memory.max", "67108864\n" },
			{ "sys/fs/cgroup/a/memory.max", "33554432\n" } } },
	{ "version 2, at the root of a namespace", 128 * MIB,
		{ { "proc/self/cgroup", "0::/\n" },
			{ "sys/fs/cgroup/memory.max", "134217728\n" } } },
	{ "version 1", 256 * MIB,
		{ { "proc/self/cgroup", "5:memory:/docker/1\n4:cpu:/x\n" },
			{ "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes",
				"268435456\n" } } },
	{ "version 1 without a limit", 0,
		{ { "proc/self/cgroup", "5:memory:/\n" },
			{ "sys/fs/cgroup/memory/memory.limit_in_bytes",
				"9223372036854771712\n" } } },
	{ "version 1, seen at the mount's root only", 64 * MIB,
		{ { "proc/self/cgroup", "5:memory:/docker/gone\n0::/\n" },
			{ "sys/fs/cgroup/memory/memory.limit_in_bytes",
				"67108864\n" } } },
	{ "both, of which one has it", 96 * MIB,
		{ { "proc/self/cgroup", "5:memory:/a\n0::/\n" },
			{ "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
				"100663296\n" },
			{ "sys/fs/cgroup/memory.max", "max\n" } } },
	{ "nonsense", 0,
		{ { "proc/self/cgroup", "0::/a\nx\n::\n" },
			{ "sys/fs/cgroup/a/memory.max", "-5 b\n" } } },
};

Test(memory, limits)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char root[] = TREE_ROOT;

		tree_make(root, rows[i].files);
		cr_expect_eq(
			memory_limit(root), rows[i].limit, "%s", rows[i].what);
		tree_remove(root);
	}
}

Test(memory, what_fits_stays)
{
	struct memory_need needs[] = { { 100, 1, 10, false },
		{ 5, 1, 100, true } };

	cr_expect_eq(memory_fit(needs, 2, 1500), 1500);
	cr_expect_eq(needs[0].count, 100);
	cr_expect_eq(needs[1].count, 5);
}

Test(memory, all_by_one_factor)
{
	struct memory_need needs[] = { { 1000, 10, 100, false },
		{ 200, 1, 500, false }, { 1, 1, 50000, true } };

	cr_expect_leq(memory_fit(needs, 3, 150000), 150000);
	cr_expect_eq(needs[0].count, 500);
	cr_expect_eq(needs[1].count, 100);
	cr_expect_eq(needs[2].count, 1);
}

Test(memory, not_below_the_least)
{
	struct memory_need needs[] = { { 1000, 64, 100, false },
		{ 4, 16, 100, false }, { 100, 1, 1000, true } };

	/* What is fixed is too much already. */
	cr_expect_eq(memory_fit(needs, 3, 50000), 100000 + 6400 + 400);
	cr_expect_eq(needs[0].count, 64);
	cr_expect_eq(needs[1].count, 4);
	cr_expect_eq(needs[2].count, 100);
}

Test(memory, large_numbers)
{
	struct memory_need needs[] = { { 1000000, 1, 100000, false },
		{ 1000000, 1, 1000, true } };
	int64_t limit = 64 * 1024 * MIB;

	cr_expect_leq(memory_fit(needs, 2, limit), limit);
	cr_expect_gt(needs[0].count, 600000);
}
