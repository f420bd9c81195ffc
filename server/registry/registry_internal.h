/* SPDX-License-Identifier: Apache-2.0 */

/* For registry.c and registry_control.c. */

#ifndef ADIT_SERVER_REGISTRY_REGISTRY_INTERNAL_H
#define ADIT_SERVER_REGISTRY_REGISTRY_INTERNAL_H

#include "server/registry/port_memory.h"
#include "server/registry/registry.h"
#include "server/registry/room.h"
#include "server/registry/takeovers.h"
#include "server/users/replays.h"
#include "server/worker.h"

struct registry {
	struct worker *worker;
	struct pool *registrations;
	struct grants grants;
	struct port_memory ports;
	struct replays replays;
	struct takeovers takeovers;
	struct list pending;
	struct room room; /* of controls */
	uint32_t proxies;
	uint32_t moving; /* that some worker has not told the end of */
};

static inline int64_t registry_now(const struct registry *reg)
{
	return worker_loop(reg->worker)->now;
}

/* The claim ends, with an error or with what its control has already. */
void registry_settle(struct registry *reg, struct claim *c,
	struct registration *r, const char *error);

/* The claim of a control ends: who has the run id, if any, is not disturbed. */
void registry_decline(struct registry *reg, struct claim *c);

/* A control's login, or its proof; false: that was the end of the claim. */
bool registry_admit(struct registry *reg, struct claim *c) must_check;

/* Whether its names are free; older controls make room, which is waited for. */
enum verdict registry_look_at_control(struct registry *reg,
	const struct claim *c,
	char error[static REGISTRY_ERROR_SIZE]) must_check;

#endif
