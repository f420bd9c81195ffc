/* SPDX-License-Identifier: Apache-2.0 */

/* For greeting.c and greeting_entry.c. */

#ifndef ADIT_SERVER_GREETING_INTERNAL_H
#define ADIT_SERVER_GREETING_INTERNAL_H

#include "server/greeting.h"

/* One that waits on the stream, which is taken over; NULL: there is no room. */
struct greeting *greeting_new(
	struct worker *w, struct stream *s, const struct link *link) must_check;

/* Read it from now on. */
void greeting_read(struct greeting *g);

#endif
