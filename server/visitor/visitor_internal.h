/* SPDX-License-Identifier: Apache-2.0 */

/* The steps of a visitor, for visitor.c and visitor_letters.c. */

#ifndef ADIT_SERVER_VISITOR_VISITOR_INTERNAL_H
#define ADIT_SERVER_VISITOR_VISITOR_INTERNAL_H

#include "server/visitor/visitor.h"

void visitor_set_state(struct visitor *v, enum visitor_state state);

/*
 * The route cannot serve it, and has seen nothing of the request: another one
 * of its group may. Else it fails for the reason.
 */
void visitor_detour(struct visitor *v, enum reason why, bool may_stay);

/* Its work connection was dead: as frp, try the next, once more than the pool
 * holds. */
void visitor_try_next(struct visitor *v);

/* It has its work connection, on which the start goes out like that. */
void visitor_start(
	struct visitor *v, struct stream *work, const struct sealing *sealing);

/* While it waits: what it says is kept, and that it goes is noticed. */
void visitor_watch(struct visitor *v);

#endif
