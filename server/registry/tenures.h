/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whose a host is that no user lists: while one user publishes something at
 * it, by http or https, nobody else gets another of its paths, schemes or
 * logins, and with them its visitors. Clients of auth.token are as one user.
 * Who lists domains has them by that (policy.h), and shares one with whoever
 * lists it, too. Worker 0's.
 */

#ifndef ADIT_SERVER_REGISTRY_TENURES_H
#define ADIT_SERVER_REGISTRY_TENURES_H

#include <stdbool.h>

#include "server/registry/claim.h"
#include "server/registry/verdict.h"

struct tenure;

/* All zero is empty. */
struct tenures {
	struct tenure *table;
};

/* Whether the claim's user may have all its hosts; *host_r: one it may not. */
enum verdict tenures_look(const struct tenures *t, const struct claim *c,
	const char **host_r) must_check;

/* Its hosts are its user's; false without memory: none of them is. */
bool tenures_enter(struct tenures *t, const struct claim *c) must_check;

/* What was entered is about to end: who wants it may wait. */
void tenures_end_soon(struct tenures *t, const struct claim *c);

/* What is about to end has ended. */
void tenures_leave(struct tenures *t, const struct claim *c);

void tenures_clear(struct tenures *t);

#endif
