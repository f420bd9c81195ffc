/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor moves to the worker of the work connection that it was given: its
 * object here ends, its socket and what it has said go there in a letter, and
 * another object begins.
 */

#ifndef ADIT_SERVER_VISITOR_MOVE_H
#define ADIT_SERVER_VISITOR_MOVE_H

#include "server/registry/claim.h"

struct visitor;

/*
 * Nothing of it is in flight: it asked for the first time. It is gone then;
 * false: there is no memory, and what it has said is lost.
 */
bool move_visitor(struct visitor *v, struct ref work) must_check;

/*
 * The visitor, which asks, goes to the worker of its route's control: all work
 * connections of that are there, and none can be brought. A receive of it that
 * is in flight is stopped first.
 */
void move_visitor_home(struct visitor *v);

#endif
