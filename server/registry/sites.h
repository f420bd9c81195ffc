/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The sites of one worker: which route serves a request of a host, a path and
 * a user, as frp finds it. A place is one host with one location, perhaps of
 * one user only; one route has it, or the routes of a group take turns. Those
 * of https are sites of their own, where a place is just a host.
 */

#ifndef ADIT_SERVER_REGISTRY_SITES_H
#define ADIT_SERVER_REGISTRY_SITES_H

#include <stdbool.h>

#include "common/base/list.h"
#include "common/http/text.h"

struct route;
struct site;
struct users;

/* Held by its site and by the routes of its group. */
struct place {
	struct list link;    /* of the site, the longest location first */
	struct list members; /* who is next comes first */
	struct route *lead; /* whose terms rule; held while there are members */
	uint32_t holders;
	bool any; /* of all hosts: "*" */
	uint32_t location_len;
	const char *location; /* "": all paths */
	const char *user;     /* "": all users; behind it in memory */
	char text[];
};

/* All zero is empty. */
struct sites {
	struct site *table;
	uint32_t located; /* places with a location other than "" and "/" */
	uint32_t of_user; /* places of one user only */
};

/*
 * Put the route of an http or https claim at its places. Where others of its
 * group are already, their lead is its lead from now on. 0 or -ENOMEM: it is at
 * some of its places then.
 */
int sites_add(struct sites *s, struct route *r) must_check;

/* Take it away from all of them. */
void sites_remove(struct sites *s, struct route *r);

/*
 * The place of a request: of the host (normalised), then of "*." instead of
 * its first label, the second, ... while three labels or more remain, then of
 * "*"; at each of them of the user, then of all; and of the longest location
 * that the path begins with, byte by byte. NULL: nobody's. A wildcard stands in
 * for a host of its owner's alone: by the table of users where the host is
 * listed, else as long as another one is served there.
 */
struct place *sites_find(const struct sites *s, const struct users *users,
	const char *host, struct http_text path, const char *user);

/* Whether the place has a member besides this one. */
bool place_has_other(const struct place *p, const struct route *than);

/*
 * Whose turn it is. `but`: not that one's; NULL: anybody's. NULL: there is
 * nobody else.
 */
struct route *place_turn(struct place *p, const struct route *but);

/* Let go of the place's memory; NULL is accepted. */
void place_drop(struct place **p);

#endif
