/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor that the aditd before this one passes on (passing.h) goes on here
 * as if it had been accepted, with what it has said.
 */

#ifndef ADIT_SERVER_UPGRADE_ADOPTION_H
#define ADIT_SERVER_UPGRADE_ADOPTION_H

struct handover_message;
struct server;
struct visitor;

/*
 * Main thread: take what such a message has, for the workers in turn, as the
 * kernel would have. Its descriptors are taken over.
 */
void adoption_send(struct server *s, struct handover_message *m);

/*
 * One of tcp that waits for its proxy, in state HEAD: it gets it, if it is
 * there, or is closed if it comes no more.
 */
void adoption_look(struct visitor *v);

#endif
