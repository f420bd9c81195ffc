/* SPDX-License-Identifier: Apache-2.0 */

/* A visitor that is looked at while it is answered. */
// links: server/http/ahead.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include "server/http/ahead.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/double/streams.h"

TestSuite(ahead, .init = world_begin, .fini = world_end);

static int calls, last;

static void gone(struct ahead *a, int result)
{
	calls++;
	last = result;
	/* As an exchange does. */
	ahead_stop(a);
}

/* What is there to be read afterwards is this, and then -EAGAIN or an end. */
static void expect_said(struct stream *s, const char *text, int end)
{
	struct chunk *c;
	char have[256];
	size_t size = 0;
	int n;

	while ((n = stream_take(s, &c)) > 0) {
		memcpy(have + size, chunk_bytes(c), (size_t)n);
		size += (size_t)n;
		chunk_give(c);
	}
	cr_assert_eq(n, end);
	cr_assert_eq(size, strlen(text));
	cr_assert(memcmp(have, text, size) == 0);
}

Test(ahead, what_is_said_is_kept_in_order)
{
	struct end e = end_open();
	struct ahead a = { 0 };
	struct chunk *before = chunk_take(world_loop->chunks);

	memcpy(before->data, "one ", 4);
	before->to = 4;
	stream_unread(e.stream, before);
	ahead_begin(&a, e.stream, false, gone);
	end_feed(&e, "two ", 4);
	end_feed(&e, "three", 5);
	ahead_stop(&a);
	expect_said(e.stream, "one two three", -EAGAIN);
	cr_assert_eq(calls, 0);
	stream_close(&e.stream, false);
}

Test(ahead, a_reset_is_told_also_behind_bytes)
{
	struct ahead a = { 0 };

	for (int said = 0; said <= 2; said++) {
		struct end e = end_open();

		calls = 0;
		ahead_begin(&a, e.stream, false, gone);
		for (int i = 0; i < said; i++)
			end_feed(&e, "x", 1);
		end_feed(&e, NULL, -ECONNRESET);
		cr_assert_eq(calls, 1);
		cr_assert_eq(last, -ECONNRESET);
		stream_close(&e.stream, true);
	}
}

Test(ahead, an_end_is_told_unless_it_belongs_to_what_was_said)
{
	struct end e = end_open(), f = end_open();
	struct ahead a = { 0 };

	calls = 0;
	ahead_begin(&a, e.stream, false, gone);
	end_feed(&e, NULL, 0);
	cr_assert_eq(calls, 1);
	cr_assert_eq(last, 0);
	ahead_begin(&a, f.stream, false, gone);
	end_feed(&f, "x", 1);
	end_feed(&f, NULL, 0);
	cr_assert_eq(calls, 1);
	ahead_stop(&a);
	expect_said(f.stream, "x", 0);
	stream_close(&e.stream, false);
	stream_close(&f.stream, false);
}

Test(ahead, small_pieces_are_one_buffer)
{
	struct end e = end_open();
	struct ahead a = { 0 };
	char text[201] = { 0 };

	ahead_begin(&a, e.stream, false, gone);
	for (int i = 0; i < 200; i++) {
		text[i] = (char)('a' + i % 26);
		end_feed(&e, text + i, 1);
	}
	cr_assert(a.said.head && !a.said.head->next);
	ahead_stop(&a);
	expect_said(e.stream, text, -EAGAIN);
	stream_close(&e.stream, false);
}

Test(ahead, a_chunk_without_room_and_one_more)
{
	struct end e = end_open();
	struct ahead a = { 0 };

	stream_unread(e.stream, chunk_copy((const uint8_t *)"one ", 4));
	ahead_begin(&a, e.stream, false, gone);
	end_feed(&e, "two", 3);
	cr_assert_not(end_reads(&e));
	ahead_stop(&a);
	expect_said(e.stream, "one two", -EAGAIN);
	stream_close(&e.stream, false);
}

/* Who has said too much is not read any more, but looked at. */
Test(ahead, a_reset_behind_more_than_is_read)
{
	struct end e = end_open();
	struct ahead a = { 0 };

	calls = 0;
	stream_unread(e.stream, chunk_copy((const uint8_t *)"one ", 4));
	ahead_begin(&a, e.stream, false, gone);
	end_feed(&e, "two", 3);
	script_pass(world_loop, 10 * AHEAD_LOOK);
	cr_assert_eq(calls, 0);
	/* A peer that goes without having read all resets. */
	cr_assert_eq(send(e.fd, "x", 1, 0), 1);
	cr_assert_eq(close(e.peer), 0);
	script_pass(world_loop, 2 * AHEAD_LOOK);
	cr_assert_eq(calls, 1);
	cr_assert_eq(last, -ECONNRESET);
	stream_close(&e.stream, true);
}

Test(ahead, the_last_answer_has_time_to_come)
{
	struct end e = end_open();
	struct ahead a = { 0 };

	calls = 0;
	ahead_begin(&a, e.stream, true, gone);
	cr_assert_not(end_reads(&e));
	ahead_stop(&a);
	script_pass(world_loop, 2 * AHEAD_PATIENCE);
	cr_assert_not(end_reads(&e));
	ahead_begin(&a, e.stream, true, gone);
	script_pass(world_loop, AHEAD_PATIENCE + CLOCK_MS);
	end_feed(&e, NULL, -ECONNRESET);
	cr_assert_eq(calls, 1);
	stream_close(&e.stream, true);
}

Test(ahead, nobody_was_looked_at)
{
	struct ahead a = { 0 };

	ahead_stop(&a);
	ahead_stop(&a);
}
