/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Random histories of layers over layers, toys and real ones: bytes in random
 * pieces both ways, short sends, readers who leave, chunks that run out, a
 * close in the middle. What arrives is what was written, in order, and nothing
 * is left.
 */
// links: common/relay/layer.c common/relay/layer_rest.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c tests/double/toy.c common/wire/snappy.c common/wire/crc32c.c common/wire/websocket.c common/wire/handshake.c common/crypto/websocket_key.c common/crypto/base64.c common/crypto/cfb.c common/crypto/cipher.c common/crypto/random.c
// libs: boringssl -lsnappy

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/cfb.h"
#include "common/crypto/random.h"
#include "common/crypto/websocket_key.h"
#include "common/relay/layer.h"
#include "common/wire/snappy.h"
#include "common/wire/websocket.h"
#include "tests/double/streams.h"
#include "tests/double/toy.h"

#define BYTES 20000
#define LAYERS_MAX 3

static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

/* One end of a connection, and what went through it. */
struct party {
	struct end e;
	struct stream *s;
	struct stream_reader reader;
	struct stream_writer writer;
	uint32_t written, got; /* bytes */
	bool finished, ended;
};

static struct party parties[2];
static struct chunk *hoard[32];
static int hoarded;

static struct transform *cfb(void)
{
	struct cipher_key key;

	cipher_key_derive(&key, "token");
	return cfb_new(&key, NULL);
}

/* The layer of a kind at one of the ends. */
static struct transform *make(unsigned kind, int end)
{
	static const struct websocket_means means = { random_bytes,
		websocket_key_make, websocket_key_accept };

	switch (kind) {
	case 0:
		return toy_new(TOY_PLAIN);
	case 1:
		return toy_new(TOY_FRAMES);
	case 2:
		return toy_new(end ? TOY_SECOND : TOY_FIRST);
	case 3:
		return end ? websocket_serve(&means)
			   : websocket_call(&means, "a");
	case 4:
		return snappy_new();
	default:
		return cfb();
	}
}

static uint8_t byte_of(uint32_t n)
{
	return (uint8_t)(n * 31 + n / 251);
}

static void got(struct party *p, struct chunk *c, int result)
{
	if (result <= 0) {
		cr_assert_eq(result, 0);
		cr_assert_eq(p->got, BYTES);
		p->ended = true;
		return;
	}
	cr_assert_eq((uint32_t)result, chunk_length(c));
	for (int i = 0; i < result; i++)
		cr_assert_eq(chunk_bytes(c)[i], byte_of(p->got++));
	chunk_give(c);
}

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	got(container_of(r, struct party, reader), c, result);
}

static void sent(struct stream_writer *w, struct chunk *c, int result)
{
	(void)w;
	cr_assert_eq(result, 0);
	chunk_give(c);
}

static void write_some(struct party *p)
{
	uint32_t n = 1 + any(any(4) ? 100 : 2500);
	struct chunk *c;

	if (stream_is_writing(p->s) || p->finished)
		return;
	if (p->written == BYTES) {
		p->finished = true;
		cr_assert_eq(stream_finish(p->s), 0);
		return;
	}
	n = n > BYTES - p->written ? BYTES - p->written : n;
	c = chunk_from_heap(n);
	for (c->to = 0; c->to < n; c->to++)
		c->data[c->to] = byte_of(p->written++);
	stream_write(p->s, c, any(2), &p->writer);
}

static void read_some(struct party *p)
{
	struct chunk *c;
	int n;

	if (p->ended)
		return;
	if (any(4) == 0) {
		stream_leave_reading(p->s);
		return;
	}
	n = stream_take(p->s, &c);
	if (n != -EAGAIN)
		got(p, c, n);
	else
		stream_read(p->s, &p->reader);
}

static bool has_chunk(void)
{
	struct chunk *c = chunk_take(world_loop->chunks);

	chunk_give(c);
	return c;
}

/* Bytes go over the wire: a part of a send, in a part of a receive. */
static void carry(struct party *from, struct party *to)
{
	struct script_op *send = script_find(OP_SEND, from->e.fd);
	struct script_op *recv = script_find(OP_RECV, to->e.fd);
	uint32_t n;

	if (!recv || !has_chunk())
		return;
	if (!send) {
		if (from->e.stream->finished)
			script_complete(recv, 0, true);
	} else {
		n = 1 + any(any(2) ? 20 : 1024);
		n = n > send->args.size ? send->args.size : n;
		script_receive(world_loop, recv, send->args.data, n);
		script_complete(send, (int)n, true);
	}
	if (any(3))
		script_run(world_loop);
}

static void take_chunks(void)
{
	struct chunk *c;

	if (any(3) == 0)
		while (hoarded < 32 && (c = chunk_take(world_loop->chunks)))
			hoard[hoarded++] = c;
	else
		while (hoarded > 0)
			chunk_give(hoard[--hoarded]);
}

/* Cleanly: the ends of the lower layers still go out. */
static void close_party(struct party *p, bool cut)
{
	struct script_op *op;

	stream_close(&p->s, cut);
	while ((op = script_find(OP_SEND, p->e.fd)))
		end_take(&p->e, (int)op->args.size);
	close(p->e.peer);
}

static void step(void)
{
	struct party *p = &parties[any(2)];
	struct party *q = &parties[p == &parties[0]];

	switch (any(8)) {
	case 0:
		write_some(p);
		break;
	case 1:
	case 2:
		read_some(p);
		break;
	case 3:
		take_chunks();
		break;
	case 4:
		script_pass(world_loop, 2 * LAYER_RETRY);
		break;
	default:
		carry(p, q);
	}
}

/* It ends by itself, or after so many steps. */
static void history(uint64_t seed, long steps)
{
	struct pool *layers = pool_create(sizeof(struct layer), 8);
	unsigned n;

	state = seed;
	world_begin();
	memset(parties, 0, sizeof(parties));
	for (int i = 0; i < 2; i++) {
		struct party *p = &parties[i];

		p->e = end_open();
		p->s = p->e.stream;
		p->reader.received = received;
		p->writer.sent = sent;
	}
	for (n = 1 + any(LAYERS_MAX); n > 0; n--) {
		unsigned kind = any(6);

		for (int i = 0; i < 2; i++)
			parties[i].s =
				layer_open(layers, parties[i].s, make(kind, i));
	}
	while ((!parties[0].ended || !parties[1].ended) && steps-- > 0)
		step();
	while (hoarded > 0)
		chunk_give(hoard[--hoarded]);
	for (int i = 0; i < 2; i++)
		close_party(&parties[i], steps < 0 && any(2));
	layers_cut(layers);
	world_end();
	cr_assert_eq(pool_used(layers), 0, "seed %lu", seed);
	cr_assert_eq(toys, 0);
	pool_destroy(&layers);
}

/* Each whole, and once more closed in the middle of it. */
static void both(uint64_t seed)
{
	history(seed, 3000000);
	cr_assert(parties[0].ended && parties[1].ended, "seed %lu", seed);
	state = seed;
	history(seed, 1 + any(any(2) ? 50 : 2000));
}

Test(layer_property, any_history)
{
	const char *one = getenv("LAYER_SEED"), *n = getenv("LAYER_SEEDS");
	uint64_t seeds = n ? strtoull(n, NULL, 10) : 100;

	if (one) {
		both(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= seeds; seed++)
		both(seed);
}
