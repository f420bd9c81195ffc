/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The frame of frp's wire v1: one type byte, a signed 64-bit big-endian
 * length, then that many bytes of JSON (common/wire/README.md).
 */

#ifndef ADIT_WIRE_FRAME_H
#define ADIT_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

#define FRAME_HEADER_SIZE 9
/* frp's reader drops a connection beyond this; so does ours. */
#define FRAME_BODY_MAX 10240
#define FRAME_MAX (FRAME_HEADER_SIZE + FRAME_BODY_MAX)

enum frame_status {
	FRAME_PARTIAL,    /* nothing wrong so far, more is needed */
	FRAME_COMPLETE,   /* a whole frame is there */
	FRAME_BAD_TYPE,   /* no message has this type; seen at its byte */
	FRAME_BAD_LENGTH, /* negative or above FRAME_BODY_MAX */
};

/*
 * Look at the first `len` bytes of a stream of frames. With FRAME_COMPLETE,
 * and only then, *size_r is the bytes of the first frame with its header.
 */
enum frame_status frame_peek(
	const uint8_t *data, size_t len, size_t *size_r) must_check;

/* Write the header of a body of `length` bytes, at most FRAME_BODY_MAX. */
void frame_header(
	uint8_t out[static FRAME_HEADER_SIZE], uint8_t type, size_t length);

#endif
