/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `aditd upgrade`, which takes over from the aditd that runs: the new one's
 * end of handover.h. The main thread's; it waits for the old one, before
 * anybody is served.
 */

#ifndef ADIT_SERVER_UPGRADE_SUCCESSOR_H
#define ADIT_SERVER_UPGRADE_SUCCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "server/upgrade/console.h"
#include "server/upgrade/inherited.h"

struct server;

/*
 * As long as the old one may pass on visitors, it counts as one of them: we do
 * not end before it.
 */
struct successor {
	int socket;        /* -1: nobody to take over from, or no more */
	uint32_t watchdog; /* ms within which it gave signs of life; 0: not */
	bool counted;      /* it counts */
	bool watched;      /* visitors come by it */
	struct console console;
};

/*
 * Ask the aditd that has this state directory, which may say no. 0, or -errno
 * after an error in the log.
 */
int successor_begin(struct successor *n, const char *directory) must_check;

/*
 * All that may fail has been made: get the lock, the sockets and the names of
 * the proxies of the old one, which accepts nobody any more. 0, or -errno after
 * an error in the log.
 */
int successor_receive(struct server *s) must_check;

/* We can begin: all is ours now. 0, or -errno after an error in the log. */
int successor_commit(struct server *s) must_check;

/*
 * Main thread, whenever it wakes, once visitors are let in: take those that the
 * old one passes on.
 */
void successor_look(struct server *s);

void successor_end(struct server *s);

#endif
