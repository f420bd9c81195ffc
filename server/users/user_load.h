/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one user has of what is limited, in the whole program: it outlives the
 * tables of users, and is held by them, by proxies and visitors, and by what
 * the workers know of the user's proxies. Any thread.
 */

#ifndef ADIT_SERVER_USERS_USER_LOAD_H
#define ADIT_SERVER_USERS_USER_LOAD_H

#include "common/relay/throttle.h"

struct user_load {
	_Atomic uint32_t holders;
	_Atomic uint32_t proxies, visitors;
	_Atomic int64_t clear; /* when its visitors are forgotten (clock.h) */
	_Atomic uint32_t failures; /* failed logins, see guesses.h */
	struct throttle out, back; /* of what its visitors send, and get */
};

/* Zeroed but held once; NULL without memory. */
struct user_load *user_load_new(void) must_check;

/* NULL is accepted. */
struct user_load *user_load_hold(struct user_load *l);
void user_load_drop(struct user_load **l);

/* One less. */
void user_load_give_proxy(struct user_load *l);
void user_load_give_visitor(struct user_load *l);

#endif
