/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a user may publish, by the table of users. Who lists a domain or a
 * port has it for itself, also while it is not there; of several listings that
 * cover a domain the closest counts. What nobody lists is for everybody who
 * has no list.
 */

#ifndef ADIT_SERVER_USERS_POLICY_H
#define ADIT_SERVER_USERS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/users/users.h"

/* Room for the error of a refused wish. */
#define POLICY_ERROR_SIZE 256

/* What a proxy wants; hosts are normalised. */
struct policy_wish {
	const char *name;
	enum settings_user_type type;
	char **hosts;
	size_t host_count;
	int64_t port; /* 0: none, or any */
};

/*
 * Whether the user, NULL for a client of auth.token, may have it; if not, why.
 * Without a table everybody may have everything.
 */
bool policy_allows(const struct users *t, const struct user *u,
	const struct policy_wish *wish,
	char error[static POLICY_ERROR_SIZE]) must_check;

/* Who lists a host, by the closest of the listings that cover it. */
enum policy_listing {
	POLICY_UNLISTED, /* nobody */
	POLICY_LISTED,   /* this user, alone or with others */
	POLICY_OF_OTHERS
};

/* `of`: the user, as its proxies know it. Without a table nobody does. */
enum policy_listing policy_lists(const struct users *t, const char *host,
	const struct user_load *of) must_check;

/* The same of one port. */
bool policy_allows_port(
	const struct users *t, const struct user *u, uint16_t port) must_check;

#endif
