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

#include <stdbool.h>

#include "common/base/compiler.h"

struct visitor;
struct worker;

/* What its port is for: the number of HANDOVER_VISITOR. */
enum passing_kind {
	PASSING_HTTP,
	PASSING_HTTPS,
	PASSING_TCP, /* of a tcp proxy: its socket's port says which */
};

/*
 * Whether its worker has left (yielding.h). Then it goes, now or soon, or is
 * closed, if it cannot go: it is not the caller's any more.
 */
bool passing_takes(struct visitor *v) must_check;

/* A worker has left: all of its visitors that can go. */
void passing_begin_all(struct worker *w);

#endif
