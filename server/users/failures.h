/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Failed logins: who has failed so often in a row is cut off, and gets one more
 * try at every pause. One table counts by address, another one by the user that
 * was tried from there, and stops earlier: whose secret is guessed, or wrong,
 * does not use up the tries of others who share the address. IPv6 addresses of
 * one /64 are one. What succeeds is not counted, and only logins ask: the work
 * connections of who is in go on. A table is of a fixed size for all workers,
 * without a lock: one may displace the one of its place whose failures are the
 * longest ago, and what two workers count at the same moment may be counted
 * once.
 */

#ifndef ADIT_SERVER_USERS_FAILURES_H
#define ADIT_SERVER_USERS_FAILURES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/address.h"

/* Of an address, whoever it tries to be. */
#define FAILURES_BURST 10
#define FAILURES_PAUSE (6 * CLOCK_SECOND)

/* Of an address as one user. */
#define FAILURES_USER_BURST 5
#define FAILURES_USER_PAUSE (30 * CLOCK_SECOND)

#define FAILURES_SETS 1024
#define FAILURES_WAYS 4

struct failures_entry {
	_Atomic uint64_t key; /* of failures_key */
	/* When all that it did is forgotten (clock.h). */
	_Atomic int64_t clear;
	_Atomic int64_t quiet; /* until then there is nothing new to tell */
};

struct failures {
	int64_t pause, burst;
	uint64_t secret; /* odd: which keys share a place */
	struct failures_entry entries[FAILURES_SETS][FAILURES_WAYS];
};

/* All zero before: after `burst` in a row one more every `pause` (ns). */
void failures_init(struct failures *f, int64_t burst, int64_t pause);

/*
 * By what it is counted: an address, and the user that it tries to be, or NULL
 * where all are one. The names come from outside; who shares a key with whom
 * nobody there can know.
 */
uint64_t failures_key(
	const struct failures *f, const struct address *a, const char *user);

/* Any thread: in how many ns it may be tried again; 0: now. */
int64_t failures_wait(struct failures *f, uint64_t key, int64_t now) must_check;

/*
 * Any thread: it was refused as it has to wait. Whether the log is to tell:
 * once in a pause, however often it tries.
 */
bool failures_tell(struct failures *f, uint64_t key, int64_t now) must_check;

/* Any thread: it has failed. */
void failures_count(struct failures *f, uint64_t key, int64_t now);

#endif
