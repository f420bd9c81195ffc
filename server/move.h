/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A visitor moves to the worker of the work connection that it was given: its
 * object here ends, its socket and what it has said go there in a letter, and
 * another object begins.
 */

#ifndef ADIT_SERVER_MOVE_H
#define ADIT_SERVER_MOVE_H

#include "server/claim.h"

struct visitor;

/*
 * Nothing of it is in flight: it asked for the first time. It is gone then;
 * false: there is no memory, and what it has said is lost.
 */
bool move_visitor(struct visitor *v, struct ref work) must_check;

#endif
