/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor goes to the aditd that has taken over, as a descriptor, with all
 * that it has said: no service has seen anything of it, or of its next request.
 * Work connections come to the other one only, so it would wait in vain here;
 * and a connection that is kept would have to be closed just when it may be
 * used.
 */

#ifndef ADIT_SERVER_UPGRADE_PASSING_H
#define ADIT_SERVER_UPGRADE_PASSING_H

#include <stdint.h>

struct visitor;
struct worker;

/* What its port is for: the number of HANDOVER_VISITOR. */
enum passing_kind {
	PASSING_HTTP,
	PASSING_HTTPS,
	PASSING_TCP, /* of a tcp proxy: its socket's port says which */
};

/*
 * On a worker that has left (yielding.h): now or soon; or it is closed, if it
 * cannot go.
 */
void passing_begin(struct visitor *v);

/* All of the worker that can go. */
void passing_begin_all(struct worker *w);

#endif
