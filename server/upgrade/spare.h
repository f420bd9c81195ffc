/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Listening sockets beyond one for each worker: an aditd that is followed by
 * one with fewer workers has more of them, and whoever waits in the backlog of
 * any is to be served. A worker accepts on several of one port then.
 */

#ifndef ADIT_SERVER_UPGRADE_SPARE_H
#define ADIT_SERVER_UPGRADE_SPARE_H

#include <stdint.h>

struct address;
struct server;

/*
 * Any thread that may use s->inherited: all that still listen at the address
 * go to the workers, in turn, behind the letters that have made them listen
 * there.
 */
void spare_send(struct server *s, const struct address *a);

/* The same of a tcp proxy's port. */
void spare_send_port(struct server *s, uint16_t port);

#endif
