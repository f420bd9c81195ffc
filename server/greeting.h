/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A greeting is a connection on bindPort whose first message has not come
 * yet: it decides what the connection is (Login: a control; NewWorkConn: a
 * work connection), and must come within firstMessageTimeout, however slowly
 * its bytes do. Where the port is vhostHTTPPort as well, its first two bytes
 * tell a visitor from a client.
 */

#ifndef ADIT_SERVER_GREETING_H
#define ADIT_SERVER_GREETING_H

#include "common/base/timer.h"
#include "common/relay/channel.h"
#include "server/listener.h"

struct greeting {
	struct worker *worker;
	struct channel channel;
	struct stream_reader sniffer; /* before the channel's */
	struct chunk *first;          /* one byte that does not tell; or NULL */
	struct list link;             /* worker's greetings */
	struct timer deadline;
	struct address peer;
};

/* Of the listener on bindPort. */
void greeting_accept(struct listener *l, int fd);

/* Close it. */
void greeting_close(struct greeting *g, enum reason why);

#endif
