/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a program is to whoever runs it: a service manager that wants to be told
 * (notify.h), and who asks over HTTP (health.h). The main thread's, beside
 * core_supervise: its chores call host_look. And what it gives up for good
 * (sandbox.h): the program opens and enters it, and it is closed here.
 *
 *   READY=1      all cores have answered a pulse, so that each of them has
 *                begun, and the program says that it is ready
 *   RELOADING=1  the configuration is read again; READY=1 when all cores go by
 *                it
 *   STOPPING=1   the first signal to end
 *   WATCHDOG=1   twice in WATCHDOG_USEC, each time after all cores have
 *                answered a pulse: not when one of them hangs, nor when the
 *                main thread does
 */

#ifndef ADIT_HOST_HOST_H
#define ADIT_HOST_HOST_H

#include "common/host/health.h"
#include "common/host/notify.h"
#include "common/host/pulse.h"
#include "common/host/sandbox.h"

enum host_state {
	HOST_STARTING,
	HOST_READY,
	HOST_RELOADING, /* as ready as before */
	HOST_STOPPING,
};

struct host {
	enum host_state state;
	int fd; /* epoll(7) of what wakes the main thread: core_chores.fd */
	struct pulse pulse;
	struct notify notify;
	struct health *health;   /* NULL: nobody can ask */
	struct sandbox *sandbox; /* closed when all have begun; NULL: none */
	uint64_t first;          /* the round that shows that all have begun */
	uint64_t beat;           /* the watchdog's, while it is open; or 0 */
	int64_t next_beat;
};

/*
 * Main thread, when the cores have been made; `cores` is borrowed until
 * host_close. 0 or -errno, after which host_close is allowed.
 */
int host_open(struct host *h, struct core *const *cores, int n) must_check;

/* This descriptor wakes the main thread, too. 0 or -errno. */
int host_watch(struct host *h, int fd) must_check;

/* It does so no more. */
void host_unwatch(struct host *h, int fd);

/* Somebody may ask, at sockets that are given to h->health. 0 or -ENOMEM. */
int host_serve_health(struct host *h) must_check;

/*
 * Main thread, among the chores: `ready`, whether the program does what it is
 * for, once the cores have begun. Returns in how many ms there is more to do,
 * -1: unknown.
 */
int host_look(struct host *h, bool ready, struct core_chores *c);

/*
 * Main thread: what makes other settings of the program begins, and has come
 * to its end. While it starts or ends the service manager is not told.
 */
void host_reload_begins(struct host *h);
void host_reload_ended(struct host *h);

/* Any thread: what host_look is told may have changed. */
void host_wake(const struct host *h);

/*
 * Main thread: another process is the program from now on. Nobody is told of
 * our end, no new question is heard, and a local socket stays where it is.
 */
void host_leave(struct host *h);

/* When the cores are no more; a zeroed one, too. */
void host_close(struct host *h);

#endif
