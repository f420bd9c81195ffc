/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The crew is adit's workers together. The first has the control; the work
 * connections that the server asks for are made by all in turn.
 */

#ifndef ADIT_CLIENT_CREW_H
#define ADIT_CLIENT_CREW_H

#include <stdatomic.h>

#include "client/client.h"
#include "client/client_id.h"
#include "client/gateway.h"
#include "client/reload.h"
#include "client/trust.h"
#include "common/base/quota.h"
#include "common/host/host.h"

/*
 * One-line commands: the public address of a proxy, as "tcp://host:port". A
 * refusal ends the program. Called on the first worker.
 */
typedef void crew_announced_fn(void *arg, const char *address);

struct screen;
struct work_ticket;

struct crew {
	crew_announced_fn *announced; /* NULL: not a one-line command */
	void *announced_arg;
	const struct settings *first; /* what it was started with */
	struct settings *settings;    /* the main thread's; held: the newest */
	struct proxy_table *proxies;  /* the same */
	struct reload reload;         /* the same */
	struct client **clients;
	uint32_t count;
	uint32_t next; /* the first's: whose turn it is */
	struct resolver *resolver;
	struct gateway gateway; /* transport.proxyURL */
	struct trust trust;
	struct client_id id;   /* "" where clientID says it, or nobody asks */
	struct quota works;    /* work connections */
	int64_t tells_again;   /* that there are too many: first worker */
	_Atomic uint32_t busy; /* those with a visitor; any worker */
	struct core_chores chores; /* the main thread's */
	struct host host;          /* the same */
	struct sandbox sandbox;    /* the same */
	_Atomic bool in_service;   /* what it was started for has begun */
};

/* Work connections at most: one for each visitor, and the idle ones. */
uint32_t crew_work_limit(const struct settings *settings);

/*
 * Settings after sizing_workers, which outlive the crew. 0 or -errno after an
 * error in the log.
 * `announced`: see struct crew; NULL when a configuration runs, whose refused
 * proxies are asked for again.
 */
int crew_create(struct crew *c, const struct settings *settings,
	crew_announced_fn *announced, void *arg) must_check;

/*
 * Before it runs: the requests of http proxies are to be printed on the
 * screen, which outlives the crew. 0 or -ENOMEM.
 */
int crew_watch(struct crew *c, struct screen *screen) must_check;

/* Before it runs: SIGHUP reads this file, whose name outlives it, again. */
void crew_follow(struct crew *c, const char *file);

/* Main thread: run until the end; the program's exit code. */
int crew_run(struct crew *c);

/* A zeroed one and one that crew_create refused, too. */
void crew_destroy(struct crew *c);

/*
 * First worker: the server asks for a work connection; `ticket` admits it,
 * NULL: it needs none. False: there is no place for it, nor for others.
 */
bool crew_work_wanted(
	struct crew *c, const struct work_ticket *ticket) must_check;

/* First worker: the server has let us in. */
void crew_logged_in(struct crew *c);

/* First worker: the session has ended; see works_lost. */
void crew_session_lost(struct crew *c, bool cut);

/* Any worker: one more or one less work connection has a visitor. */
void crew_count_busy(struct crew *c, int change);
uint32_t crew_busy(struct crew *c);

#endif
