/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The directory says who serves what: names, ports and hosts to proxies, run
 * ids to controls. Visitors ask it, controls claim in it. It also remembers
 * which port a name had, so that the same name gets the same port again.
 */

#ifndef ADIT_SERVER_DIRECTORY_H
#define ADIT_SERVER_DIRECTORY_H

#include <stdint.h>

#include "common/base/compiler.h"

struct control;
struct proxy;
struct entry;

/* All zero is empty. Keys are byte strings of any length. */
struct directory {
	struct entry *names, *hosts, *ports, *controls, *memories;
	uint32_t memory_count;
};

/* Ports remembered at most, and for how long (as frp: a day). */
#define DIRECTORY_MEMORIES 10000
#define DIRECTORY_MEMORY_TIME (24 * 3600 * CLOCK_SECOND)

/*
 * Claim a key for a proxy; -EEXIST when it is taken, -ENOMEM. A host is
 * normalised (host_normalise) and may begin with "*.", or be "*".
 */
int directory_claim_name(
	struct directory *d, const char *name, struct proxy *p) must_check;
int directory_claim_host(
	struct directory *d, const char *host, struct proxy *p) must_check;
int directory_claim_port(
	struct directory *d, uint16_t port, struct proxy *p) must_check;

/* Give a key up if it is this proxy's. */
void directory_drop_name(
	struct directory *d, const char *name, struct proxy *p);
void directory_drop_host(
	struct directory *d, const char *host, struct proxy *p);
void directory_drop_port(struct directory *d, uint16_t port, struct proxy *p);

struct proxy *directory_find_name(struct directory *d, const char *name);
struct proxy *directory_find_port(struct directory *d, uint16_t port);

/*
 * The proxy for a visitor's host (normalised): exact, then "*." instead of
 * the first label, the second, ... while three labels or more remain, then
 * "*". NULL: nobody.
 */
struct proxy *directory_route(struct directory *d, const char *host);

/* A control's run id; a later one with the same id takes its place. */
int directory_add_control(
	struct directory *d, const char *run_id, struct control *c) must_check;
void directory_drop_control(
	struct directory *d, const char *run_id, struct control *c);
struct control *directory_find_control(struct directory *d, const char *run_id);

/* The port that the name had within the last day, or 0. */
uint16_t directory_recall(struct directory *d, const char *name, int64_t now);
void directory_remember(
	struct directory *d, const char *name, uint16_t port, int64_t now);

void directory_clear(struct directory *d);

#endif
