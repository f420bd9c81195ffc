/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How often logins fail as whom: one line of the log a minute for each user
 * that somebody has tried to be, wherever from. Nobody is refused by it: else
 * anyone could keep a user out.
 */

#ifndef ADIT_SERVER_USERS_GUESSES_H
#define ADIT_SERVER_USERS_GUESSES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct admission;
struct users;

#define GUESSES_PERIOD (60 * CLOCK_SECOND)

/* A user's are in its load (user_load.h). */
struct guesses {
	/* As a user that there is not, or by auth.token. */
	_Atomic uint32_t others;
	int64_t due; /* when to tell next (clock.h); the main thread's */
};

/* All zero before: the first minute begins. */
void guesses_init(struct guesses *g, int64_t now);

/* Any thread: a login has failed (a->failed). It takes as long, whoever. */
void guesses_count(struct guesses *g, const struct admission *a);

/*
 * Main thread: tell those that were counted since the last time, if that is
 * due or this is the last call; users may be NULL. Returns in how many ms to
 * look again.
 */
int guesses_look(struct guesses *g, const struct users *users, int64_t now,
	bool last) must_check;

#endif
