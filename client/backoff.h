/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long to wait before the next attempt to reach the server: 0.1, 0.2,
 * 0.5 s, then 1 to 1.5 s for a minute, then longer and longer, up to 20 s.
 * The jitter keeps a thousand clients from coming back in the same moment.
 */

#ifndef ADIT_CLIENT_BACKOFF_H
#define ADIT_CLIENT_BACKOFF_H

#include <stdint.h>

/* All zero is a fresh start. */
struct backoff {
	uint32_t attempts;
	int64_t waited; /* ns since the fresh start */
};

/* The next wait in nanoseconds; `random` is any 32-bit number. */
int64_t backoff_next(struct backoff *b, uint32_t random);

/* The server was reached, and the control has lasted. */
void backoff_reset(struct backoff *b);

#endif
