/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Another aditd takes over from this one: the main thread's part, at
 * `upgrade.sock` in the state directory, for who is the same user (handover.h
 * has what passes, yielding.h what the workers do). One at a time may try; if
 * it ends before all is its own, this one goes on as before.
 */

#ifndef ADIT_SERVER_UPGRADE_UPGRADE_H
#define ADIT_SERVER_UPGRADE_UPGRADE_H

#include <stdint.h>
#include <sys/un.h>

#include "common/base/compiler.h"

struct server;

#define UPGRADE_SOCKET "upgrade.sock"

/* For the other one, to make all that it needs. */
#define UPGRADE_PREPARES (60 * CLOCK_SECOND)

enum upgrade_state {
	/* Nobody is there. Next: GREETED. */
	UPGRADE_IDLE,
	/* It is there. Next: ASKED, IDLE. */
	UPGRADE_GREETED,
	/* It may take over, once we have done so. Next: WELCOME, IDLE. */
	UPGRADE_ASKED,
	/* It prepares itself. Next: VISITORS, IDLE. */
	UPGRADE_WELCOME,
	/* The workers hold the ports of visitors. Next: HOLDING, RESUMING. */
	UPGRADE_VISITORS,
	/* The workers hold all ports. Next: LISTING, RESUMING. */
	UPGRADE_HOLDING,
	/* They tell what there is. Next: OFFERED, RESUMING. */
	UPGRADE_LISTING,
	/* It has everything, and begins. Next: LEAVING, RESUMING. */
	UPGRADE_OFFERED,
	/* It has failed, and the workers go on. Next: IDLE. */
	UPGRADE_RESUMING,
	/* It is the server; the workers hear so. Next: LEFT. */
	UPGRADE_LEAVING,
	/* The clients hear so; we finish what we have. */
	UPGRADE_LEFT,
};

struct upgrade {
	enum upgrade_state state;
	int listener; /* at `path`; -1: none */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int peer; /* -1: none; any worker sends from LEAVING on */
	int pid;  /* of it */
	uint32_t round;
	int64_t until;  /* from GREETED to RESUMING */
	int64_t resume; /* clock.h: of a listener that pauses; or 0 */
};

void upgrade_init(struct upgrade *u);

/*
 * Main thread: whoever comes to upgrade.sock in the directory is heard from now
 * on. A warning if that cannot be.
 */
void upgrade_open(struct server *s, const char *directory);

/* Main thread, whenever it wakes; returns in how many ms again, -1: never. */
int upgrade_look(struct server *s);

/* All threads have ended: upgrade.sock is gone, if it was not passed on. */
void upgrade_close(struct upgrade *u);

#endif
