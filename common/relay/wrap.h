/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What frp puts around the bytes of a work connection behind StartWorkConn:
 * compression, and around that its stream cipher (useCompression,
 * useEncryption).
 */

#ifndef ADIT_RELAY_WRAP_H
#define ADIT_RELAY_WRAP_H

#include "common/base/pool.h"
#include "common/crypto/cipher.h"
#include "common/relay/stream.h"

struct wrap {
	const struct cipher_key *key; /* NULL: no cipher */
	bool compresses;
};

/*
 * The stream in such a wrap, from the pool of layers; the stream itself where
 * there is none. It is not being read or written, and owned from now on; NULL
 * without memory: it was cut.
 */
struct stream *wrap_open(
	struct pool *layers, struct stream *s, const struct wrap *w) must_check;

#endif
