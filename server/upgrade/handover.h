/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What passes between an aditd and the one that follows it, over a local
 * socket (unix(7), SOCK_SEQPACKET), with descriptors (SCM_RIGHTS):
 *
 *   the new one                        the old one
 *     HELLO            ------------>     goes on serving
 *                      <------------   WELCOME, or REFUSED and the end
 *     makes all that may fail
 *     PREPARED         ------------>     accepts nobody any more
 *                      <------------   LOCK, LISTENERS..., PROXIES...,
 *                                      COMPLETE
 *     listens
 *     TAKEN            ------------>     is the old one from now on
 *                      <------------   YOURS
 *     accepts          <------------   VISITOR...
 *
 * Whoever ends before YOURS leaves everything as it was.
 */

#ifndef ADIT_SERVER_UPGRADE_HANDOVER_H
#define ADIT_SERVER_UPGRADE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

/* Of the protocol: `number` of HELLO. */
#define HANDOVER_VERSION 2

/* Descriptors of a message; the kernel allows 253 (unix(7)). */
#define HANDOVER_FDS 64

/* Bytes of one, besides its head: the head of a request, and what of its body
 * has been read. */
#define HANDOVER_BYTES 131072

/* For one step of the other end. */
#define HANDOVER_PATIENCE (10 * CLOCK_SECOND)

enum handover_type {
	HANDOVER_HELLO = 1, /* number: version; bytes: the program's, a text */
	HANDOVER_WELCOME,   /* the same; number: ms of the watchdog, 0: none */
	HANDOVER_REFUSED,   /* bytes: why, a text */
	HANDOVER_PREPARED,
	HANDOVER_LOCK,      /* a descriptor: of the state directory's lock */
	HANDOVER_LISTENERS, /* descriptors; number: whether these are lent */
	HANDOVER_PROXIES,   /* bytes: records of awaited.h: who comes back */
	/* Descriptors: of its standard output and error, if it knows that. */
	HANDOVER_COMPLETE,
	HANDOVER_TAKEN,
	HANDOVER_YOURS,
	/* A descriptor; number: enum passing_kind; bytes: what it has said. */
	HANDOVER_VISITOR,
};

/* One that came: the descriptors are the receiver's. */
struct handover_message {
	uint32_t type, number;
	int fds[HANDOVER_FDS];
	size_t fd_count, size;
	uint8_t bytes[HANDOVER_BYTES + 1]; /* and a NUL */
};

/*
 * Any thread: send one, whole, with copies of the descriptors; never waits.
 * 0; -EAGAIN: there is no room now; or -errno.
 */
int handover_send(int socket, enum handover_type type, uint32_t number,
	const int *fds, size_t fd_count, const void *bytes,
	size_t size) must_check;

/* The same without descriptors, and with a text. */
int handover_say(int socket, enum handover_type type, uint32_t number,
	const char *text) must_check;

/*
 * Take one. 1; 0 at the end; -EAGAIN: none has come; -EPROTO: what has come is
 * none, and its descriptors are closed; or -errno.
 */
int handover_take(int socket, struct handover_message *m) must_check;

/* The same, and wait for it: -ETIMEDOUT after HANDOVER_PATIENCE. */
int handover_await(int socket, struct handover_message *m) must_check;

void handover_close_fds(struct handover_message *m);

/* Whether the process at the other end is the same user's; its id. */
bool handover_is_ours(int socket, int *pid_r) must_check;

#endif
