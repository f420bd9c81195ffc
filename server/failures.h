/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Failed logins by address: after ten in a row an address is cut off, and gets
 * one more try every six seconds. IPv6 addresses of one /64 are one. What
 * succeeds is not counted, and only logins ask: the work connections of who is
 * in go on. One table of a fixed size for all workers, without a lock: an
 * address may displace the one of its place whose failures are the longest
 * ago, and what two workers count at the same moment may be counted once.
 */

#ifndef ADIT_SERVER_FAILURES_H
#define ADIT_SERVER_FAILURES_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/address.h"

#define FAILURES_BURST 10
#define FAILURES_PAUSE (6 * CLOCK_SECOND)

#define FAILURES_SETS 1024
#define FAILURES_WAYS 4

struct failures_entry {
	_Atomic uint64_t address;
	/* When all that it did is forgotten (clock.h). */
	_Atomic int64_t clear;
};

struct failures {
	uint64_t secret; /* odd: which addresses share a place */
	struct failures_entry entries[FAILURES_SETS][FAILURES_WAYS];
};

/* All zero before. */
void failures_init(struct failures *f);

/* Any thread: in how many ns the address may try again; 0: now. */
int64_t failures_wait(
	struct failures *f, const struct address *a, int64_t now) must_check;

/* Any thread: the address has failed. */
void failures_count(struct failures *f, const struct address *a, int64_t now);

#endif
