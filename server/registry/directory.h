/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The directory of one worker: what the registry has published, read for
 * each visitor and each work connection without a lock. A row of it is a
 * route: from a run id to its control, from a port or hosts to a proxy. All
 * workers have the same rows, each its own copy.
 */

#ifndef ADIT_SERVER_REGISTRY_DIRECTORY_H
#define ADIT_SERVER_REGISTRY_DIRECTORY_H

#include "common/base/list.h"
#include "common/http/emit.h"
#include "server/registry/claim.h"
#include "server/registry/sites.h"

struct entry;
struct listener;
struct worker;

/* Held by the directory and by the visitors that came by it. */
struct route {
	struct claim *claim;
	struct handle entry;       /* of the registry: names the route */
	struct listener *listener; /* tcp; NULL: closed */
	uint16_t port;             /* tcp */
	bool closed;               /* withdrawn: no new visitors */
	bool revoked;              /* the same, and those it had are cut */
	struct list idle;          /* http: of struct service */
	uint32_t services;         /* how many those are */
	int64_t struck_until;      /* http: none are kept before (clock.h) */
	const char *login;         /* http: the terms, in the claim; "": none */
	const char *rewrite;       /* http: the same */
	struct emit_set set[2];    /* http: fields of requests, of responses */
	struct emit_field *fields; /* of both; owned */
	struct route *lead;        /* whose terms rule: itself; or held */
	struct place *group;       /* http: NULL: it is in none; held */
	uint32_t holders;
};

/* All zero is empty. */
struct directory {
	struct entry *controls, *routes;
	struct sites sites;     /* of http */
	struct sites tls_sites; /* of https: without paths and users */
};

/*
 * Add a route, which takes the claim over and is held once, for the
 * directory; 0, or -ENOMEM: the claim is freed then.
 */
int directory_add(struct directory *d, struct claim *claim, struct handle entry,
	struct route **r_r) must_check;

/* Take the route out and let it go; the caller has closed its listener. */
void directory_remove(struct directory *d, struct route *r);

/* NULL: not there, or not any more. */
struct route *directory_find(struct directory *d, struct handle entry);
struct route *directory_find_control(struct directory *d, const char *run_id);

/* Call `visit` for each route; it adds and removes none. */
void directory_each(struct directory *d,
	void (*visit)(struct route *r, void *arg), void *arg);

void directory_clear(struct directory *d);

/* Keep the route's memory; and let go of it, NULL is accepted. */
struct route *route_hold(struct route *r);
void route_drop(struct route **r);

static inline const char *route_name(const struct route *r)
{
	return claim_name(r->claim);
}

#endif
