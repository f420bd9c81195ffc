/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many CPUs this process may use: the ones of its affinity mask
 * (sched_getaffinity(2)), or fewer when a cgroup grants it less time than
 * those have: cpu.max of version 2, cpu.cfs_quota_us of version 1, its own or
 * any above it. A part of a CPU counts as one.
 */

#ifndef ADIT_BASE_CPUS_H
#define ADIT_BASE_CPUS_H

#include "common/base/compiler.h"

/* 1 or more. `root` is "" (tests: a directory with proc/ and sys/). */
int cpus_available(const char *root);

/* The quota alone, rounded up; 0: none. */
int cpus_quota(const char *root);

#endif
