/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames and messages: whatever frame_peek calls complete is decoded or
 * refused, and what was decoded, encoded and decoded again is the same.
 */

#include <string.h>

#include "common/wire/frame.h"
#include "common/wire/message.h"
#include "tests/fuzz/fuzz.h"

static void round_trip(const struct message *m)
{
	static uint8_t first[FRAME_MAX], second[FRAME_MAX];
	ssize_t n = message_encode(m, first, sizeof(first)), k;
	struct message again;
	const char *error;

	/* Escapes may make it too long for a frame. */
	if (n < 0)
		return;
	memset(&again, 0, sizeof(again));
	must(message_decode(first, (size_t)n, &again, &error) == 0);
	k = message_encode(&again, second, sizeof(second));
	must(k == n && !memcmp(first, second, (size_t)n));
	message_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	while (size > 0) {
		struct message m;
		const char *error;
		size_t n = 0;
		enum frame_status s = frame_peek(data, size, &n);

		if (s != FRAME_COMPLETE)
			return 0;
		must(n >= FRAME_HEADER_SIZE && n <= size && n <= FRAME_MAX);
		memset(&m, 0, sizeof(m));
		if (message_decode(data, n, &m, &error) == 0) {
			round_trip(&m);
			message_clear(&m);
		} else {
			must(strlen(error) > 0);
		}
		data += n;
		size -= n;
	}
	return 0;
}
