/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What arrives is served frame by frame where it lies; only an incomplete
 * frame is copied, to wait for its rest.
 */

#include "common/relay/channel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "common/wire/frame.h"

enum {
	OPEN,
	SEAL
};

static void channel_sent(struct stream_writer *w, struct chunk *k, int result);

/* Bytes that were received and are not served yet. */
struct input {
	struct chunk *chunk; /* where they are, or */
	uint8_t *heap;       /* where they are, after an incomplete frame */
	uint8_t *bytes;
	uint32_t size;
};

/* How the connection has failed. */
static const char *failure(const struct channel *c, int result)
{
	const char *trouble = stream_trouble(c->stream);

	return trouble ? trouble : strerror(-result);
}

static void channel_end(struct channel *c, enum reason why, const char *detail)
{
	c->ops->ended(c, why, detail);
}

/* One whole frame. */
static enum channel_verdict serve_frame(
	struct channel *c, const uint8_t *frame, size_t size)
{
	struct message m;
	const char *error = "";
	enum channel_verdict verdict;

	if (message_decode(frame, size, &m, &error) < 0) {
		channel_end(c, REASON_bad_message, error);
		return CHANNEL_LEFT;
	}
	verdict = c->ops->message(c, &m);
	message_clear(&m);
	return verdict;
}

/* The frame that the input begins with, which is gone over if it is taken. */
static enum channel_verdict serve_next(
	struct channel *c, struct input *in, uint32_t size)
{
	struct input before = *in;
	bool clear = !c->ciphers;
	enum channel_verdict verdict;

	in->bytes += size;
	in->size -= size;
	/* For channel_release, which the callback may call. */
	c->rest = in->bytes;
	c->rest_size = in->size;
	c->frame_size = size;
	verdict = serve_frame(c, before.bytes, size);
	if (verdict == CHANNEL_WAIT) {
		*in = before;
		c->waiting = true;
	}
	/* The message switched to the cipher: so does this. */
	if (verdict == CHANNEL_GO_ON && clear && c->ciphers)
		in->size = (uint32_t)cipher_open(
			&c->ciphers[OPEN], in->bytes, in->size);
	return verdict;
}

/*
 * Serve the whole frames of the input. False: the channel was left or has
 * ended; else the input is what remains, less than a frame, or one that waits.
 */
static bool serve_frames(struct channel *c, struct input *in)
{
	enum channel_verdict verdict = CHANNEL_GO_ON;

	while (verdict == CHANNEL_GO_ON) {
		size_t size = 0;

		switch (frame_peek(in->bytes, in->size, &size)) {
		case FRAME_PARTIAL:
			return true;
		case FRAME_BAD_TYPE:
			channel_end(
				c, REASON_bad_frame, "a frame of unknown type");
			return false;
		case FRAME_BAD_LENGTH:
			channel_end(c, REASON_bad_frame,
				"a frame of impossible length");
			return false;
		case FRAME_COMPLETE:
			verdict = serve_next(c, in, (uint32_t)size);
		}
	}
	return verdict == CHANNEL_WAIT;
}

/* Put the new bytes behind an incomplete frame, if there is one. */
static int gather(struct channel *c, struct input *in, struct chunk *k)
{
	uint32_t n = chunk_length(k);

	in->chunk = k;
	in->bytes = chunk_bytes(k);
	in->size = n;
	if (!c->partial)
		return 0;
	in->heap = realloc(c->partial, c->partial_size + n);
	if (!in->heap)
		return -ENOMEM;
	memcpy(in->heap + c->partial_size, in->bytes, n);
	in->bytes = in->heap;
	in->size = c->partial_size + n;
	c->partial = NULL;
	c->partial_size = 0;
	return 0;
}

/* Keep an incomplete frame for the next time. */
static int keep(struct channel *c, const struct input *in)
{
	if (in->size == 0)
		return 0;
	c->partial = malloc(in->size);
	if (!c->partial)
		return -ENOMEM;
	memcpy(c->partial, in->bytes, in->size);
	c->partial_size = in->size;
	return 0;
}

/* Serve what there is, and receive more, unless a frame waits. */
static void go_on(struct channel *c, struct input *in)
{
	bool going = serve_frames(c, in);

	if (going && keep(c, in) < 0) {
		channel_end(c, REASON_no_memory, "no memory");
		going = false;
	}
	if (in->chunk)
		chunk_give(in->chunk);
	free(in->heap);
	if (going && !c->waiting)
		channel_start(c);
}

static void channel_received(
	struct stream_reader *r, struct chunk *k, int result)
{
	struct channel *c = container_of(r, struct channel, reader);
	struct input in = { 0 };

	if (result <= 0) {
		channel_end(c,
			result == 0 ? REASON_peer_closed : REASON_network,
			result == 0 ? "closed by the peer"
				    : failure(c, result));
		return;
	}
	if (c->ciphers)
		k->to = k->from + (uint32_t)cipher_open(&c->ciphers[OPEN],
					  chunk_bytes(k), chunk_length(k));
	if (gather(c, &in, k) == 0) {
		go_on(c, &in);
		return;
	}
	chunk_give(k);
	channel_end(c, REASON_no_memory, "no memory");
}

/* The frame that has waited, and what is behind it. */
static void serve_again(struct channel *c)
{
	struct input in = {
		.heap = c->partial, .bytes = c->partial, .size = c->partial_size
	};

	c->waiting = false;
	c->partial = NULL;
	c->partial_size = 0;
	go_on(c, &in);
}

void channel_init(
	struct channel *c, struct stream *s, const struct channel_ops *ops)
{
	*c = (struct channel){
		.ops = ops,
		.stream = s,
		.reader = { channel_received },
		.writer = { channel_sent },
		.unsent_max = CHANNEL_UNSENT_MAX,
	};
}

void channel_start(struct channel *c)
{
	struct chunk *k;
	int n;

	if (c->waiting) {
		serve_again(c);
		return;
	}
	n = stream_take(c->stream, &k);
	if (n == -EAGAIN)
		stream_read(c->stream, &c->reader);
	else
		channel_received(&c->reader, k, n);
}

/* Write the next chunk; several small ones go as one segment. */
static void write_next(struct channel *c)
{
	struct chunk *k = chunk_queue_pop(&c->unsent);

	if (k)
		stream_write(c->stream, k, c->unsent.head, &c->writer);
}

static void channel_sent(struct stream_writer *w, struct chunk *k, int result)
{
	struct channel *c = container_of(w, struct channel, writer);

	c->unsent_size -= k->size;
	chunk_give(k);
	if (result < 0)
		channel_end(c, REASON_network, failure(c, result));
	else if (c->unsent.head)
		write_next(c);
	else if (c->ops->drained)
		c->ops->drained(c);
}

int channel_send(struct channel *c, const struct message *m)
{
	uint8_t frame[FRAME_MAX];
	ssize_t n = message_encode(m, frame, sizeof(frame));
	struct chunk *k;

	if (n < 0)
		return (int)n;
	if (c->unsent_size + (uint32_t)n > c->unsent_max)
		return -ENOBUFS;
	k = chunk_from_heap((uint32_t)n + CIPHER_IV_SIZE);
	if (!k)
		return -ENOMEM;
	if (c->ciphers) {
		k->to = (uint32_t)cipher_seal(
			&c->ciphers[SEAL], frame, (size_t)n, k->data);
	} else {
		memcpy(k->data, frame, (size_t)n);
		k->to = (uint32_t)n;
	}
	c->unsent_size += k->size;
	chunk_queue_push(&c->unsent, k);
	if (!stream_is_writing(c->stream))
		write_next(c);
	return 0;
}

const uint8_t *channel_iv(const struct channel *c)
{
	return cipher_iv(&c->ciphers[OPEN]);
}

int channel_encrypt(struct channel *c, const struct cipher_key *key)
{
	c->ciphers = calloc(2, sizeof(*c->ciphers));
	if (!c->ciphers)
		return -ENOMEM;
	cipher_init_open(&c->ciphers[OPEN], key);
	cipher_init_seal(&c->ciphers[SEAL], key);
	return 0;
}

/* Leave the stream and free everything but it. */
static struct stream *channel_leave(struct channel *c)
{
	struct stream *s = c->stream;

	c->stream = NULL;
	if (s->reader == &c->reader)
		stream_leave_reading(s);
	if (s->writer == &c->writer)
		stream_leave_writing(s);
	for (int i = OPEN; c->ciphers && i <= SEAL; i++)
		cipher_wipe(&c->ciphers[i]);
	free(c->ciphers);
	c->ciphers = NULL;
	free(c->partial);
	c->partial = NULL;
	return s;
}

struct stream *channel_release(struct channel *c)
{
	struct stream *s = channel_leave(c);
	struct chunk *k;

	assert(!c->unsent.head);
	if (c->rest_size == 0)
		return s;
	k = chunk_copy(c->rest, c->rest_size);
	if (!k) {
		stream_close(&s, true);
		return NULL;
	}
	stream_unread(s, k);
	return s;
}

void channel_close(struct channel *c, bool cut)
{
	struct stream *s;

	if (!c->stream)
		return;
	s = channel_leave(c);
	chunk_queue_clear(&c->unsent);
	stream_close(&s, cut);
}

void channel_part(struct channel *c, struct farewells *farewells)
{
	struct stream *s = channel_leave(c);

	farewell_begin(farewells, s, &c->unsent);
}
