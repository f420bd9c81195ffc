/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A channel carries frp messages over a stream: frames, JSON and, on a
 * control after LoginResp, frp's stream cipher (common/wire/README.md). It
 * holds memory only for what is incomplete or unsent.
 */

#ifndef ADIT_RELAY_CHANNEL_H
#define ADIT_RELAY_CHANNEL_H

#include "common/base/reason.h"
#include "common/crypto/cipher.h"
#include "common/relay/farewell.h"
#include "common/relay/stream.h"
#include "common/wire/message.h"

/*
 * Unsent bytes at most: a peer that does not read is cut off beyond. Who says
 * only as much as it has decided itself may set another bound.
 */
#define CHANNEL_UNSENT_MAX (256 * 1024)

struct channel;

/* What the message callback did. */
enum channel_verdict {
	CHANNEL_GO_ON,
	/* Not taken: it comes again, after the next channel_start. */
	CHANNEL_WAIT,
	/* Closed or released the channel: it may be gone, do not touch. */
	CHANNEL_LEFT,
};

struct channel_ops {
	/* A message has come; `m` is the channel's, for the call only. */
	enum channel_verdict (*message)(struct channel *c, struct message *m);
	/*
	 * Nothing more will come, for the reason; `detail` is a short text.
	 * Called once, from the loop; the owner closes the channel in it.
	 */
	void (*ended)(struct channel *c, enum reason why, const char *detail);
	/* Nothing is unsent any more. NULL: nobody asks. */
	void (*drained)(struct channel *c);
};

struct channel {
	const struct channel_ops *ops;
	struct stream *stream; /* owned; NULL: closed or released */
	struct stream_reader reader;
	struct stream_writer writer;
	struct cipher *ciphers; /* NULL: clear; [0] opens, [1] seals */
	uint8_t *partial;       /* an incomplete frame; NULL: none */
	uint32_t partial_size;
	const uint8_t *rest; /* what follows the message being served */
	uint32_t rest_size;
	uint32_t frame_size; /* of that message, its head included */
	struct chunk_queue unsent;
	uint32_t unsent_size, unsent_max;
	bool waiting; /* the partial frame is whole, and was not taken */
};

/* Take the stream over; messages come after channel_start. */
void channel_init(
	struct channel *c, struct stream *s, const struct channel_ops *ops);

/* Begin to receive, or go on after CHANNEL_WAIT. */
void channel_start(struct channel *c);

/*
 * Send a message. 0; -EMSGSIZE if it exceeds a frame; -ENOBUFS if the peer
 * has left too much unread; -ENOMEM. After an error the owner closes.
 */
int channel_send(struct channel *c, const struct message *m) must_check;

/* Encrypt from here on, both ways, under the key; 0 or -ENOMEM. */
int channel_encrypt(struct channel *c, const struct cipher_key *key) must_check;

/* The IV that the peer has sent, CIPHER_IV_SIZE bytes; after a message. */
const uint8_t *channel_iv(const struct channel *c);

/*
 * From inside the message callback of a clear channel with nothing unsent:
 * give the stream to the caller, who reads on from the first byte after that
 * message. NULL without memory: the stream is closed then.
 */
struct stream *channel_release(struct channel *c) must_check;

/* Close the stream, with a cut or an end, and free everything. */
void channel_close(struct channel *c, bool cut);

/*
 * Let go of the channel: what is unsent is still sent, then the stream ends.
 * The channel is empty at once, and its owner may go.
 */
void channel_part(struct channel *c, struct farewells *farewells);

#endif
