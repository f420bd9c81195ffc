/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a service manager is told: datagrams to the socket that it names in
 * NOTIFY_SOCKET (sd_notify(3), "Notes": the protocol is stable, and meant to
 * be spoken without libsystemd).
 */

#ifndef ADIT_HOST_NOTIFY_H
#define ADIT_HOST_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody wants to be told */
	struct sockaddr_un to;
	socklen_t to_size;
	int64_t watchdog; /* ns within which WATCHDOG=1 is wanted; 0: not */
};

/*
 * By the environment: NOTIFY_SOCKET, a path or @ and an abstract name;
 * WATCHDOG_USEC, where WATCHDOG_PID names this process or nothing
 * (sd_watchdog_enabled(3)). What is none of that is as if it were not there.
 */
void notify_open(struct notify *n);

/*
 * Signs of life are wanted within so many ms, as of the process that this one
 * follows, to which alone the manager has said so. 0: not, or by what the
 * environment says.
 */
void notify_watch(struct notify *n, uint32_t ms);

/* One or several lines of VARIABLE=VALUE; never waits, and may be lost. */
void notify_send(const struct notify *n, const char *lines);

void notify_close(struct notify *n);

#endif
