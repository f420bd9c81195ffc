/* SPDX-License-Identifier: Apache-2.0 */

/*
 * StartWorkConn: the first bytes of a visitor on its work connection, which
 * tell the client whose visitor it is, and from where to where. In a box where
 * the connection has no TLS (crypto/sealed_start.h).
 */

#ifndef ADIT_SERVER_LINK_START_H
#define ADIT_SERVER_LINK_START_H

#include <stdbool.h>

#include "common/crypto/sealed_start.h"
#include "common/event/chunk.h"

struct visitor;

/* How it goes out on a work connection. */
struct sealing {
	bool sealed;
	struct start_key key; /* then; for one start */
};

/* What a work connection gets with its visitor; NULL: no memory. */
struct chunk *start_make(
	const struct visitor *v, const struct sealing *sealing) must_check;

#endif
