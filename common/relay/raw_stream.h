/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The stream that is a TCP socket and nothing else.
 */

#ifndef ADIT_RELAY_RAW_STREAM_H
#define ADIT_RELAY_RAW_STREAM_H

#include "common/base/pool.h"
#include "common/event/operation.h"
#include "common/relay/stream.h"

struct raw_stream {
	struct stream stream;
	struct op recv, send;
	struct pool *home;
	int fd;
	uint8_t ahead; /* chunks that came and nobody had asked for */
	bool bulk;     /* the last chunk was full */
	bool cut;
};

/*
 * A stream over the connected socket, which it owns from now on; from the
 * pool, whose objects are of sizeof(struct raw_stream). NULL when the pool is
 * exhausted: the descriptor is closed then. While it is open, the death of
 * this process cuts the connection (socket_set_abort).
 */
struct stream *raw_stream_open(
	struct pool *home, struct loop *l, int fd) must_check;

/*
 * Take such a stream apart again, to be opened on another thread: nothing is
 * in flight and nobody waits. Returns the descriptor; what was unread is
 * appended to `unread`.
 */
int raw_stream_detach(struct stream **s, struct chunk_queue *unread) must_check;

#endif
