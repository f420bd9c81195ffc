/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How much memory this process may have, and how to get by with it: memory.max
 * of version 2 of cgroups, memory.limit_in_bytes of version 1 (cgroups(7)).
 */

#ifndef ADIT_BASE_MEMORY_H
#define ADIT_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes; 0: no limit. `root` as in cgroup.h. */
int64_t memory_limit(const char *root);

/* Something of which there may be many. */
struct memory_need {
	int64_t count; /* at most; memory_fit lowers it */
	int64_t least; /* but not below this, if it was not below before */
	int64_t each;  /* bytes */
	bool fixed;    /* somebody wants it so */
};

/*
 * Lower the counts that are not fixed, all by one factor, as far as needed for
 * the sum to be at most `bytes`. Returns the sum, which is more where that
 * cannot be. Counts and sizes are below 2^31.
 */
int64_t memory_fit(struct memory_need *needs, size_t n, int64_t bytes);

#endif
