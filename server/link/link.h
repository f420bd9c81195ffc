/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a connection of a client has come through before its first message, as
 * far as others have to know it.
 */

#ifndef ADIT_SERVER_LINK_LINK_H
#define ADIT_SERVER_LINK_LINK_H

#include <stdbool.h>

#include "common/base/address.h"
#include "common/base/pool.h"

struct link {
	struct address peer;
	struct handle session; /* the mux whose stream it is; generation 0 */
	bool secure;           /* inside TLS */
	bool adit;             /* ... under the identity's key */
};

/* Whether both are of one mux, or of none, on one worker. */
static inline bool link_same_session(const struct link *l, struct handle h)
{
	return l->session.index == h.index &&
	       l->session.generation == h.generation;
}

#endif
