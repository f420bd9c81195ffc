/* SPDX-License-Identifier: Apache-2.0 */

/* Messages over a stream: in pieces, encrypted, refused, released. */
// links: common/relay/channel.c common/relay/farewell.c common/relay/drain.c common/wire/tree.c common/wire/decode.c common/wire/encode.c common/wire/schema.c common/wire/frame.c common/crypto/cipher.c common/crypto/random.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c
// libs: -ljansson boringssl

#include "common/relay/channel.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/wire/frame.h"
#include "tests/double/streams.h"

static struct channel ch;
static struct end e;
static struct farewells farewells;
static int messages, ends, waits;
static enum reason why;
static char last[64];
static struct stream *released;
static bool release, close_inside, wait_first;
static const struct cipher_key *encrypt_next;

static enum channel_verdict on_message(struct channel *c, struct message *m)
{
	cr_assert_eq(c, &ch);
	if (wait_first) {
		wait_first = false;
		waits++;
		return CHANNEL_WAIT;
	}
	messages++;
	if (m->type == MESSAGE_PONG)
		strcpy(last, m->pong.error);
	if (release) {
		released = channel_release(c);
		cr_assert_not_null(released);
		return CHANNEL_LEFT;
	}
	if (encrypt_next) {
		cr_assert_eq(channel_encrypt(c, encrypt_next), 0);
		encrypt_next = NULL;
	}
	if (close_inside) {
		channel_close(c, true);
		return CHANNEL_LEFT;
	}
	return CHANNEL_GO_ON;
}

static void on_end(struct channel *c, enum reason r, const char *detail)
{
	cr_assert_not_null(detail);
	ends++;
	why = r;
	channel_close(c, true);
}

static int drains;

static void on_drain(struct channel *c)
{
	cr_assert_eq(c, &ch);
	cr_assert_eq(c->unsent_size, 0);
	drains++;
}

static const struct channel_ops ops = { on_message, on_end, on_drain };

static void setup(void)
{
	world_begin();
	e = end_open();
	farewells_init(&farewells);
	channel_init(&ch, e.stream, &ops);
	channel_start(&ch);
}

static void teardown(void)
{
	if (ch.stream)
		channel_close(&ch, true);
	world_end();
}

TestSuite(channel, .init = setup, .fini = teardown);

static int frame(uint8_t *out, const char *error)
{
	struct message m = { .type = MESSAGE_PONG };
	ssize_t n;

	m.pong.error = error;
	n = message_encode(&m, out, FRAME_MAX);
	cr_assert_gt(n, 0);
	return (int)n;
}

Test(channel, byte_by_byte_and_several_at_once)
{
	uint8_t data[FRAME_MAX];
	int n = frame(data, "one");

	for (int i = 0; i < n; i++)
		end_feed(&e, data + i, 1);
	cr_assert_eq(messages, 1);
	cr_assert_str_eq(last, "one");
	n += frame(data + n, "two");
	n += frame(data + n, "three");
	end_feed(&e, data, n - 1);
	cr_assert_eq(messages, 3);
	end_feed(&e, data + n - 1, 1);
	cr_assert_eq(messages, 4);
	cr_assert_str_eq(last, "three");
}

Test(channel, refusals)
{
	static const struct {
		const char *bytes;
		int size;
		enum reason want;
	} rows[] = {
		{ "Z", 1, REASON_bad_frame },
		{ "4\0\0\0\0\0\0\x28\1", 9, REASON_bad_frame },
		{ "4\0\0\0\0\0\0\0\2[]", 11, REASON_bad_message },
		{ NULL, 0, REASON_peer_closed },
		{ NULL, -104, REASON_network },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		end_feed(&e, rows[i].bytes, rows[i].size);
		cr_assert_eq(ends, (int)i + 1);
		cr_assert_eq(why, rows[i].want, "row %zu", i);
		script_run(world_loop);
		e = end_open();
		channel_init(&ch, e.stream, &ops);
		channel_start(&ch);
	}
	cr_assert_eq(messages, 0);
}

Test(channel, sends_in_order)
{
	struct message m = { .type = MESSAGE_PING };
	struct script_op *s;

	cr_assert_eq(channel_send(&ch, &m), 0);
	m.type = MESSAGE_REQ_WORK_CONN;
	cr_assert_eq(channel_send(&ch, &m), 0);
	s = script_find(OP_SEND, e.fd);
	cr_assert(memcmp(s->args.data, "h\0\0\0\0\0\0\0\2{}", 11) == 0);
	cr_assert(end_take(&e, 11));
	s = script_find(OP_SEND, e.fd);
	cr_assert(memcmp(s->args.data, "r\0\0\0\0\0\0\0\2{}", 11) == 0);
	cr_assert_eq(drains, 0);
	cr_assert(end_take(&e, 11));
	cr_assert_eq(drains, 1);
}

Test(channel, a_peer_that_does_not_read_is_cut_off)
{
	struct message m = { .type = MESSAGE_REQ_WORK_CONN };
	int sent = 0;

	while (channel_send(&ch, &m) == 0)
		sent++;
	cr_assert_leq(sent * 11, CHANNEL_UNSENT_MAX + 11);
	cr_assert_gt(sent, 1000);
}

Test(channel, encrypted_both_ways)
{
	struct message m = { .type = MESSAGE_REQ_WORK_CONN };
	uint8_t plain[FRAME_MAX], wire[FRAME_MAX + CIPHER_IV_SIZE];
	struct cipher seal, open;
	struct cipher_key key;
	struct script_op *s;
	int n = frame(plain, "secret");
	size_t size;

	cipher_key_derive(&key, "token");
	cr_assert_eq(channel_encrypt(&ch, &key), 0);
	cipher_init_seal(&seal, &key);
	size = cipher_seal(&seal, plain, (size_t)n, wire);
	for (size_t i = 0; i < size; i++)
		end_feed(&e, wire + i, 1);
	cr_assert_str_eq(last, "secret");
	cr_assert_eq(memcmp(channel_iv(&ch), wire, CIPHER_IV_SIZE), 0);
	cr_assert_eq(channel_send(&ch, &m), 0);
	s = script_find(OP_SEND, e.fd);
	cr_assert_eq(s->args.size, 11 + CIPHER_IV_SIZE);
	memcpy(wire, s->args.data, s->args.size);
	cipher_init_open(&open, &key);
	cr_assert_eq(cipher_open(&open, wire, s->args.size), 11);
	cr_assert(memcmp(wire, "r\0\0\0\0\0\0\0\2{}", 11) == 0);
}

/* LoginResp and the first encrypted bytes, cut anywhere. */
Test(channel, encrypted_from_the_middle_of_a_segment)
{
	uint8_t wire[2 * FRAME_MAX], plain[FRAME_MAX];
	struct cipher_key key;
	struct cipher seal;
	int first, n;

	cipher_key_derive(&key, "token");
	first = frame(wire, "clear");
	n = frame(plain, "secret");
	cipher_init_seal(&seal, &key);
	n = first + (int)cipher_seal(&seal, plain, (size_t)n, wire + first);
	for (int cut = 0; cut < n; cut++) {
		encrypt_next = &key;
		messages = 0;
		if (cut > 0)
			end_feed(&e, wire, cut);
		end_feed(&e, wire + cut, n - cut);
		cr_assert_eq(messages, 2, "cut at %d", cut);
		cr_assert_str_eq(last, "secret");
		channel_close(&ch, true);
		script_run(world_loop);
		e = end_open();
		channel_init(&ch, e.stream, &ops);
		channel_start(&ch);
	}
}

Test(channel, released_with_what_follows)
{
	uint8_t data[FRAME_MAX];
	int n = frame(data, "go");
	struct chunk *c;

	memcpy(data + n, "raw bytes", 9);
	release = true;
	end_feed(&e, data, n + 9);
	cr_assert_eq(messages, 1);
	cr_assert_eq(stream_take(released, &c), 9);
	cr_assert(memcmp(chunk_bytes(c), "raw bytes", 9) == 0);
	chunk_give(c);
	stream_close(&released, false);
}

/* What is not taken comes again, with all that is behind it, cut anywhere. */
Test(channel, waits_and_goes_on)
{
	uint8_t data[FRAME_MAX];
	int n = frame(data, "one");

	n += frame(data + n, "two");
	n += frame(data + n, "three");
	for (int cut = frame(data, "one"); cut <= n; cut++) {
		messages = waits = 0;
		wait_first = true;
		end_feed(&e, data, cut);
		cr_assert_eq(waits, 1);
		cr_assert_eq(messages, 0);
		/* Nothing is received meanwhile. */
		cr_assert_null(script_find(OP_RECV, e.fd));
		channel_start(&ch);
		if (cut < n)
			end_feed(&e, data + cut, n - cut);
		cr_assert_eq(messages, 3, "cut at %d", cut);
		cr_assert_str_eq(last, "three");
	}
}

Test(channel, may_wait_again_and_be_closed)
{
	uint8_t data[FRAME_MAX];
	int n = frame(data, "one");

	wait_first = true;
	end_feed(&e, data, n);
	wait_first = true;
	channel_start(&ch);
	cr_assert_eq(waits, 2);
	cr_assert_eq(messages, 0);
	channel_close(&ch, true);
	cr_assert_null(ch.partial);
}

Test(channel, closed_inside_its_callback)
{
	uint8_t data[FRAME_MAX];
	int n = frame(data, "a");

	n += frame(data + n, "b");
	close_inside = true;
	end_feed(&e, data, n);
	cr_assert_eq(messages, 1);
	cr_assert_eq(ends, 0);
}

Test(channel, parts_after_its_words)
{
	struct message m = { .type = MESSAGE_REQ_WORK_CONN };

	cr_assert_eq(channel_send(&ch, &m), 0);
	cr_assert_eq(channel_send(&ch, &m), 0);
	channel_part(&ch, &farewells);
	cr_assert_null(ch.stream);
	cr_assert(end_take(&e, 11));
	cr_assert(end_take(&e, 11));
	cr_assert(end_is_finished(&e));
	end_feed(&e, NULL, 0);
	cr_assert_eq(farewells.count, 0);
}
