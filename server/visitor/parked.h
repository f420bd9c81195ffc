/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A parked visitor: one of whom nothing has been heard for a while, nor its
 * service. Its object and its streams are given back; a record is kept until
 * one of the two stirs (common/relay/parking.h). It keeps its place in the
 * server's quota.
 */

#ifndef ADIT_SERVER_VISITOR_PARKED_H
#define ADIT_SERVER_VISITOR_PARKED_H

#include "common/relay/parking.h"

struct route;
struct user_load;
struct worker;

struct parked_visitor {
	struct parked parked;
	struct route *route;    /* held */
	struct user_load *load; /* held; or NULL */
};

/* Prepare the worker's parking; its loop and pools are there. */
void parked_init(struct worker *w);

/* Cut those whose route was revoked. */
void parked_cut_revoked(struct worker *w);

#endif
