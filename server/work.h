/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A work connection while it is idle in its control's pool. A receive is
 * armed on it, so that a dead one is noticed and removed; a live one says
 * nothing before StartWorkConn.
 */

#ifndef ADIT_SERVER_WORK_H
#define ADIT_SERVER_WORK_H

#include "common/base/list.h"
#include "common/relay/stream.h"
#include "common/wire/message.h"

struct control;
struct worker;

struct work {
	struct control *control;
	struct stream *stream;
	struct stream_reader reader;
	struct list link; /* control's parked */
};

/* A connection that opened with NewWorkConn; the stream is taken over. */
void work_arrived(struct worker *w, struct stream *s,
	const struct message_new_work_conn *m);

/* Park the stream with the control; false at limits.workConnections. */
bool work_park(struct control *c, struct stream *s);

/* Take it out of the pool and give up its stream to the caller. */
struct stream *work_unpark(struct work *k);

/* Say no to a NewWorkConn: StartWorkConn with the error, then the end. */
void work_refuse(struct worker *w, struct stream *s, const char *error);

#endif
