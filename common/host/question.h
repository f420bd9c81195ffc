/* SPDX-License-Identifier: Apache-2.0 */

/* The other end of health.h, for who may wait. */

#ifndef ADIT_HOST_QUESTION_H
#define ADIT_HOST_QUESTION_H

#include <stddef.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

/* More than HEALTH_PATIENCE, and the answer may be slow. */
#define QUESTION_PATIENCE (4 * CLOCK_SECOND)

struct question {
	const char *method, *path;
	int64_t patience; /* in ns */
};

/*
 * Ask at this address, TCP or local. Returns the status, 100 to 999, with the
 * body's lines, printable, in `text`, as much as has room; or -errno:
 * -ETIMEDOUT, -EPROTO for what is no short HTTP/1.1 response, -ENOMEM.
 */
int question_ask(const struct sockaddr *to, socklen_t to_size,
	const struct question *q, char *text, size_t size) must_check;

#endif
