/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Take-overs of clients by their client id from another address than the one
 * that had it: two clients that share an identity would take it from each other
 * for ever. One that moves back and forth may, so many times a minute. One
 * that comes from the same address is not counted: it was started again, or
 * has lost its connection. For one thread.
 */

#ifndef ADIT_SERVER_REGISTRY_TAKEOVERS_H
#define ADIT_SERVER_REGISTRY_TAKEOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

/* Between the same two addresses, within the time. */
#define TAKEOVERS_MAX 3
#define TAKEOVERS_TIME (60 * CLOCK_SECOND)

/* Clients that are remembered; then the one of longest ago is forgotten. */
#define TAKEOVERS_CLIENTS 4096

struct takeover;

/* All zero is empty. */
struct takeovers {
	struct takeover *table; /* in the order of their last one */
	size_t count;
};

/*
 * The client is to be taken from one address to another, as texts, at `now`
 * (clock.h): whether it may be, and then it is entered. Without memory it may.
 */
bool takeovers_enter(struct takeovers *t, const char *client, const char *from,
	const char *to, int64_t now) must_check;

void takeovers_clear(struct takeovers *t);

#endif
