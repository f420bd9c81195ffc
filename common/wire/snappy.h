/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Compression as a layer of a connection: `useCompression` of a proxy, the
 * framing format of Snappy (framing_format.txt beside Google's library). Each
 * direction begins with the format's identifier, together with its first byte;
 * every call that seals writes whole chunks, so that nothing waits. It has no
 * end of its own; below may end between two chunks only.
 *
 * Read: chunks of at most 65,536 bytes, compressed or not, with their CRC;
 * those that may be skipped are (0x80 to 0xfe); others are an error. A chunk
 * that is incomplete, or that was not taken whole, is kept in memory of its
 * own, which is given back with its last byte.
 */

#ifndef ADIT_WIRE_SNAPPY_H
#define ADIT_WIRE_SNAPPY_H

#include "common/base/transform.h"

/* NULL without memory. */
struct transform *snappy_new(void) must_check;

#endif
