/* SPDX-License-Identifier: Apache-2.0 */

/* Finds frames in a stream, and refuses what cannot be one. */

#include "common/wire/frame.h"

#include <stdbool.h>

static const bool known[256] = {
#define OBJECT(...)
#define MESSAGE(id, name, byte, text) [byte] = true,
#define FIELD(...)
#define GROUP(...)
#define END
#include "common/wire/message.def"
};

enum frame_status frame_peek(const uint8_t *data, size_t len, size_t *size_r)
{
	uint64_t length = 0;

	if (len == 0)
		return FRAME_PARTIAL;
	if (!known[data[0]])
		return FRAME_BAD_TYPE;
	if (len < FRAME_HEADER_SIZE)
		return FRAME_PARTIAL;
	for (int i = 1; i < FRAME_HEADER_SIZE; i++)
		length = length << 8 | data[i];
	/* A negative length is a huge one here. */
	if (length > FRAME_BODY_MAX)
		return FRAME_BAD_LENGTH;
	if (len < FRAME_HEADER_SIZE + length)
		return FRAME_PARTIAL;
	*size_r = FRAME_HEADER_SIZE + (size_t)length;
	return FRAME_COMPLETE;
}

void frame_header(
	uint8_t out[static FRAME_HEADER_SIZE], uint8_t type, size_t length)
{
	uint64_t left = length;

	out[0] = type;
	for (int i = FRAME_HEADER_SIZE - 1; i > 0; i--) {
		out[i] = (uint8_t)left;
		left >>= 8;
	}
}
