/* SPDX-License-Identifier: Apache-2.0 */

/* The stream that is a socket: reading, short writes, ends, joins. */
// links: common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "common/relay/raw_stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event/loop.h"
#include "tests/double/streams.h"

TestSuite(raw_stream, .init = world_begin, .fini = world_end);

static struct end e;
static int reads, writes, result;
static char got[100];

static void received(struct stream_reader *r, struct chunk *c, int rc)
{
	(void)r;
	reads++;
	result = rc;
	if (c)
		memcpy(got, chunk_bytes(c), chunk_length(c));
	chunk_give(c);
}

static void sent(struct stream_writer *w, struct chunk *c, int rc)
{
	(void)w;
	writes++;
	result = rc;
	chunk_give(c);
}

static struct stream_reader reader = { received };
static struct stream_writer writer = { sent };

static struct chunk *words(const char *text)
{
	struct chunk *c = chunk_take(world_loop->chunks);

	c->to = (uint32_t)strlen(text);
	memcpy(c->data, text, c->to);
	return c;
}

Test(raw_stream, reads_once_for_each_ask)
{
	struct chunk *c;

	e = end_open();
	cr_assert_eq(stream_take(e.stream, &c), -EAGAIN);
	stream_read(e.stream, &reader);
	end_feed(&e, "abc", 3);
	cr_assert_eq(reads, 1);
	cr_assert(memcmp(got, "abc", 3) == 0);
	cr_assert_not(end_reads(&e));
	stream_read(e.stream, &reader);
	end_feed(&e, NULL, 0);
	cr_assert_eq(result, 0);
	cr_assert_eq(stream_take(e.stream, &c), 0);
	stream_close(&e.stream, false);
	cr_assert_null(e.stream);
}

Test(raw_stream, bytes_without_a_reader_are_kept)
{
	struct chunk *c, *more;

	e = end_open();
	stream_read(e.stream, &reader);
	stream_leave_reading(e.stream);
	end_feed(&e, "abc", 3);
	cr_assert_eq(reads, 0);
	cr_assert_eq(stream_take(e.stream, &c), 3);
	more = words("first");
	stream_unread(e.stream, c);
	stream_unread(e.stream, more);
	cr_assert_eq(stream_take(e.stream, &c), 5);
	chunk_give(c);
	cr_assert_eq(stream_take(e.stream, &c), 3);
	chunk_give(c);
	stream_close(&e.stream, true);
}

Test(raw_stream, short_writes_go_on)
{
	e = end_open();
	stream_write(e.stream, words("hello"), false, &writer);
	cr_assert(end_take(&e, 2));
	cr_assert_eq(writes, 0);
	cr_assert(memcmp(script_find(OP_SEND, e.fd)->args.data, "llo", 3) == 0);
	cr_assert(end_take(&e, 3));
	cr_assert_eq(writes, 1);
	cr_assert_eq(result, 0);
	cr_assert_not(stream_is_writing(e.stream));
	cr_assert_eq(stream_finish(e.stream), 0);
	cr_assert(end_is_finished(&e));
	stream_close(&e.stream, false);
}

Test(raw_stream, failed_write)
{
	e = end_open();
	stream_write(e.stream, words("hello"), false, &writer);
	cr_assert(end_take(&e, -EPIPE));
	cr_assert_eq(writes, 1);
	cr_assert_eq(result, -EPIPE);
	stream_close(&e.stream, true);
}

/* The descriptor lives until the last callback of what is in flight. */
Test(raw_stream, close_is_a_join)
{
	struct script_op *send;

	script_hold_cancels(true);
	e = end_open();
	stream_read(e.stream, &reader);
	stream_write(e.stream, words("hello"), false, &writer);
	stream_close(&e.stream, true);
	script_complete(script_find(OP_RECV, e.fd), -ECANCELED, true);
	script_run(world_loop);
	cr_assert_eq(pool_used(world_streams), 1);
	cr_assert_not(end_is_finished(&e));
	/* The kernel was faster than the cancel: no matter. */
	send = script_find(OP_SEND, e.fd);
	cr_assert(send->cancelled);
	script_complete(send, 5, true);
	script_run(world_loop);
	cr_assert_eq(pool_used(world_streams), 0);
	cr_assert_eq(reads + writes, 0);
}

static struct raw_rest rest;
static struct stream *woken;

static void stirred(struct op *op, int rc)
{
	cr_assert_eq(op, &rest.recv);
	woken = raw_stream_wake(world_streams, world_loop, &rest);
	cr_assert_not_null(woken);
	raw_stream_stir(woken, rc);
}

/* Nobody's for a while: the receive goes on, and what comes wakes it. */
Test(raw_stream, rests_and_wakes)
{
	const struct {
		const char *bytes;
		int size;
	} rows[] = { { "abc", 3 }, { NULL, 0 }, { NULL, -ECONNRESET } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct chunk *c = NULL;

		e = end_open();
		cr_assert_not(raw_stream_can_rest(e.stream));
		stream_read(e.stream, &reader);
		stream_leave_reading(e.stream);
		cr_assert(raw_stream_can_rest(e.stream));
		raw_stream_rest(&e.stream, &rest, stirred);
		cr_assert_null(e.stream);
		cr_assert_eq(pool_used(world_streams), 0);
		cr_assert(end_reads(&e));
		end_feed(&e, rows[i].bytes, rows[i].size);
		cr_assert_eq(stream_take(woken, &c), rows[i].size);
		chunk_give(c);
		cr_assert_eq(stream_descriptor(woken), e.fd);
		stream_close(&woken, false);
		script_run(world_loop);
	}
	cr_assert_eq(reads, 0);
}

/* --- bulk --- */

static uint32_t length;

static void measured(struct stream_reader *r, struct chunk *c, int rc)
{
	length = c ? chunk_length(c) : 0;
	(void)r;
	result = rc;
	chunk_give(c);
}

static struct stream_reader measurer = { measured };

/* A stream whose last chunk was full, which is being read again. */
static void begin_bulk(void)
{
	static const char full[1024];

	e = end_open();
	e.stream->gulp = STREAM_BULK;
	stream_read(e.stream, &measurer);
	end_feed(&e, full, sizeof(full));
	cr_assert_eq(length, sizeof(full));
	stream_read(e.stream, &measurer);
}

static void readable(void)
{
	script_complete(script_find(OP_POLL, e.fd), POLLIN, true);
	script_run(world_loop);
}

static void arrive(size_t n)
{
	static const char bytes[65536];

	cr_assert_eq(send(e.peer, bytes, n, 0), (ssize_t)n);
	readable();
}

Test(raw_stream, bulk_comes_in_large_chunks)
{
	begin_bulk();
	cr_assert_not(end_reads(&e));
	arrive(50000);
	cr_assert_eq(result, 50000);
	stream_read(e.stream, &measurer);
	arrive(100);
	cr_assert_eq(length, 100);
	stream_read(e.stream, &measurer);
	cr_assert(end_reads(&e), "few bytes are no bulk");
	end_feed(&e, "abc", 3);
	cr_assert_eq(length, 3);
	stream_close(&e.stream, false);
}

Test(raw_stream, bulk_waits_ends_and_is_left)
{
	begin_bulk();
	readable();
	cr_assert_not_null(script_find(OP_POLL, e.fd), "nothing was there");
	/* Who reads now wants no bulk. */
	e.stream->gulp = STREAM_CHUNK;
	readable();
	end_feed(&e, "abc", 3);
	cr_assert_eq(length, 3);
	stream_close(&e.stream, false);
	begin_bulk();
	cr_assert_eq(shutdown(e.peer, SHUT_WR), 0);
	readable();
	cr_assert_eq(result, 0);
	stream_close(&e.stream, false);
	begin_bulk();
	stream_close(&e.stream, true);
}

Test(raw_stream, bulk_without_a_large_chunk)
{
	struct chunk *all[LOOP_BULK_CHUNKS];

	for (int i = 0; i < LOOP_BULK_CHUNKS; i++)
		all[i] = chunk_take(world_loop->bulk);
	begin_bulk();
	readable();
	end_feed(&e, "abc", 3);
	cr_assert_eq(length, 3);
	for (int i = 0; i < LOOP_BULK_CHUNKS; i++)
		chunk_give(all[i]);
	stream_close(&e.stream, false);
}
