/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Limits of the cgroups that this process is in (cgroups(7)), of version 1 and
 * 2. What counts is the least of its own group's and of all above it. Reads
 * /proc and /sys; for the start only.
 */

#ifndef ADIT_BASE_CGROUP_H
#define ADIT_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* The limit of one group, which is this directory; 0: none. */
typedef int64_t cgroup_limit_fn(const char *dir);

/*
 * The least limit of a controller ("cpu", "memory"); 0: none. `root` is ""
 * (tests: a directory with proc/ and sys/).
 */
int64_t cgroup_least(const char *root, const char *controller,
	cgroup_limit_fn *v1, cgroup_limit_fn *v2);

/* The first line of a file in a group; false if there is none. */
bool cgroup_read(
	const char *dir, const char *file, char *line, int size) must_check;

#endif
