/* SPDX-License-Identifier: Apache-2.0 */

/* For greeting.c and greeting_entry.c. */

#ifndef ADIT_SERVER_LINK_GREETING_INTERNAL_H
#define ADIT_SERVER_LINK_GREETING_INTERNAL_H

#include "server/link/greeting.h"

/* One on the stream, which is taken over, and on no list yet; NULL: there is
 * no room. */
struct greeting *greeting_new(
	struct worker *w, struct stream *s, const struct link *link) must_check;

/* The one place that changes the state. */
void greeting_set_state(struct greeting *g, enum greeting_state state);

/* Read it from now on. */
void greeting_read(struct greeting *g);

/* It leaves its list. */
void greeting_unlist(struct greeting *g);

/* Whether there is room for it among those that may say more, or it is one of
 * them already. */
bool greeting_take_room(struct greeting *g) must_check;

/*
 * The same, with its first words, which stay the caller's then. False: they
 * are taken, and it waits with them, or is closed.
 */
bool greeting_enter(
	struct greeting *g, struct chunk *words, bool resumes) must_check;

#endif
