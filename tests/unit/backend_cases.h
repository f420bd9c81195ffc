/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What every backend does, against the real kernel. Included by the test of
 * each, which defines BACKEND, and SUITE for the cases' names.
 */

#ifndef ADIT_UNIT_BACKEND_CASES_H
#define ADIT_UNIT_BACKEND_CASES_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/event/backend.h"

static struct counters counters;
static struct loop *l;
static int pair[2];

static void setup(void)
{
	struct loop_params params = { .ops = 64,
		.chunk_size = 1024,
		.chunks_soft = 8,
		.chunks_hard = 16,
		.counters = &counters };
	int rc = loop_create(&l, &BACKEND, &params);

	cr_assert_eq(rc, 0, "%s: %s", BACKEND.name, strerror(-rc));
	cr_assert_eq(loop_enter(l), 0);
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void finish(void)
{
	cr_assert_eq(l->in_flight, 0);
	cr_assert_eq(chunk_pool_used(l->chunks), 0);
	loop_destroy(&l);
	close(pair[0]);
	close(pair[1]);
}

static int calls, result;
static char got[1 << 20];
static size_t got_size;

static void done(struct op *op, int rc)
{
	calls++;
	result = rc;
	if (op->kind == OP_RECV && rc > 0) {
		memcpy(got + got_size, chunk_bytes(op->chunk), (size_t)rc);
		got_size += (size_t)rc;
		chunk_give(op->chunk);
	}
}

static void turns_until(int want)
{
	for (int i = 0; i < 1000 && calls < want; i++)
		loop_turn(l);
	cr_assert_eq(calls, want);
}

Test(SUITE, receive_bytes_then_the_end)
{
	struct op op = { 0 };

	op_recv(l, &op, pair[0], done);
	cr_assert_eq(write(pair[1], "hello", 5), 5);
	turns_until(1);
	cr_assert_eq(result, 5);
	cr_assert(memcmp(got, "hello", 5) == 0);
	/* Drained: this one waits for readiness first. */
	op_recv(l, &op, pair[0], done);
	cr_assert_eq(write(pair[1], "again", 5), 5);
	turns_until(2);
	op_recv(l, &op, pair[0], done);
	shutdown(pair[1], SHUT_WR);
	turns_until(3);
	cr_assert_eq(result, 0);
}

Test(SUITE, send_takes_what_fits)
{
	static char big[1 << 20];
	struct op op = { 0 };
	int taken;

	op_send(l, &op, pair[0], big, sizeof(big), false, done);
	turns_until(1);
	taken = result;
	cr_assert(taken > 0 && taken < (int)sizeof(big));
	/* Full now: it waits until the other end reads. */
	op_send(l, &op, pair[0], big, sizeof(big), false, done);
	for (int i = 0; i < taken;) {
		ssize_t n = read(pair[1], got, sizeof(got));

		cr_assert_gt(n, 0);
		i += (int)n;
	}
	turns_until(2);
	cr_assert_gt(result, 0);
}

Test(SUITE, send_to_nobody)
{
	struct op op = { 0 };

	close(pair[1]);
	pair[1] = -1;
	op_send(l, &op, pair[0], "x", 1, false, done);
	turns_until(1);
	cr_assert_eq(result, -EPIPE);
}

Test(SUITE, cancel_of_each_kind)
{
	struct op op[3] = { 0 };

	op_recv(l, &op[0], pair[0], done);
	op_poll(l, &op[1], pair[0], POLLIN, done);
	for (int i = 0; i < 2; i++) {
		op_cancel(l, &op[i]);
		turns_until(i + 1);
		cr_assert_eq(result, -ECANCELED);
		cr_assert_not(op_in_flight(&op[i]));
	}
}

Test(SUITE, cancel_races_with_bytes)
{
	struct op op = { 0 };
	size_t sent = 0;

	for (int i = 0; i < 200; i++) {
		op_recv(l, &op, pair[0], done);
		sent += (size_t)write(pair[1], "x", 1);
		op_cancel(l, &op);
		turns_until(i + 1);
	}
	/* Whatever was not received then is still there. */
	while (got_size < sent) {
		op_recv(l, &op, pair[0], done);
		turns_until(calls + 1);
	}
	cr_assert_eq(got_size, sent);
}

Test(SUITE, poll)
{
	struct op op = { 0 };

	op_poll(l, &op, pair[0], POLLIN, done);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	turns_until(1);
	cr_assert(result & POLLIN);
	cr_assert_eq(read(pair[0], got, 1), 1);
}

static void accepted(struct op *op, int rc)
{
	(void)op;
	calls++;
	result = rc;
	if (rc < 0)
		return;
	cr_assert(fcntl(rc, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(rc, F_GETFL) & O_NONBLOCK);
	close(rc);
}

Test(SUITE, accept)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	struct op op = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c[3];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	cr_assert_eq(listen(fd, 10), 0);
	getsockname(fd, (struct sockaddr *)&a, &size);
	op_accept(l, &op, fd, accepted);
	for (int i = 0; i < 3; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(
			connect(c[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
	turns_until(3);
	cr_assert(op_in_flight(&op));
	op_cancel(l, &op);
	turns_until(4);
	cr_assert_eq(result, -ECANCELED);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	close(fd);
}

/* More receives with bytes than there are buffers: they wait, none is lost. */
static struct chunk *kept[64];
static int kept_count;

static void keep(struct op *op, int rc)
{
	cr_assert_gt(rc, 0);
	kept[kept_count++] = op->chunk;
}

Test(SUITE, receives_wait_for_buffers)
{
	enum {
		SOCKETS = 20
	};
	static struct op ops[SOCKETS];
	int fds[SOCKETS][2];
	int seen = 0;

	for (int i = 0; i < SOCKETS; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				     fds[i]),
			0);
		cr_assert_eq(write(fds[i][1], "data", 4), 4);
		op_recv(l, &ops[i], fds[i][0], keep);
	}
	while (seen < SOCKETS) {
		loop_turn(l);
		cr_assert_leq(kept_count, 16);
		while (kept_count > 0) {
			cr_assert_eq(chunk_length(kept[--kept_count]), 4);
			chunk_give(kept[kept_count]);
			seen++;
		}
	}
	for (int i = 0; i < SOCKETS; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

/* What one socket holds does not take all buffers at once. */
Test(SUITE, receives_again_and_again_give_others_their_turn)
{
	static char data[6 * 1024];
	struct op op = { 0 };
	int before;

	cr_assert_eq(write(pair[1], data, sizeof(data)), sizeof(data));
	while (got_size < sizeof(data)) {
		if (!op_in_flight(&op))
			op_recv_many(l, &op, pair[0], done);
		before = calls;
		loop_turn(l);
		/* Linux 6.17 or later knows of the limit; others take all. */
		cr_assert_leq(calls - before, 8);
	}
	cr_assert_eq(got_size, sizeof(data));
	if (op_in_flight(&op)) {
		op_cancel(l, &op);
		turns_until(calls + 1);
	}
}

/* Two ends of a TCP connection. */
static void connect_pair(int fds[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(listener, (void *)&a, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	getsockname(listener, (void *)&a, &size);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fds[1], (void *)&a, size), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	close(listener);
}

static void nothing(struct timer *t)
{
	(void)t;
}

/*
 * Bytes and a reset that come between two turns: io_uring may have told of the
 * bytes only (see ring_missed.c), and the reset is not to be missed.
 */
Test(SUITE, a_reset_behind_bytes_is_not_missed)
{
	struct linger reset = { 1, 0 };
	struct timer soon = { 0 };
	struct op op = { 0 };
	int fds[2];

	connect_pair(fds);
	op_recv_many(l, &op, fds[0], done);
	loop_set_timer(l, &soon, CLOCK_MS, nothing);
	loop_turn(l);
	cr_assert_eq(write(fds[1], "hello", 5), 5);
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fds[1]);
	for (int i = 0; i < 100 && op_in_flight(&op); i++) {
		loop_set_timer(l, &soon, 10 * CLOCK_MS, nothing);
		loop_turn(l);
	}
	cr_assert_not(op_in_flight(&op));
	cr_assert(result == -ECONNRESET || result == -ECANCELED);
	close(fds[0]);
}

static void turns_of_10_ms(int n, const struct op *op)
{
	struct timer soon = { 0 };

	for (int i = 0; i < n && op_in_flight(op); i++) {
		loop_set_timer(l, &soon, 10 * CLOCK_MS, nothing);
		loop_turn(l);
	}
	loop_cancel_timer(l, &soon);
}

/*
 * Who has ended his direction and does not read: polls of a ring end at once
 * there, and the send is not to be tried all the time.
 */
Test(SUITE, a_send_to_who_has_ended_is_tried_rarely)
{
	static char data[1 << 20], back[1 << 16];
	uint64_t *pauses = &counters.value[COUNTER_send_pauses], before;
	struct op op = { 0 };
	int fds[2];

	connect_pair(fds);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	shutdown(fds[1], SHUT_WR);
	while (!op_in_flight(&op)) {
		op_send(l, &op, fds[0], data, sizeof(data), false, done);
		turns_of_10_ms(25, &op);
	}
	before = *pauses;
	turns_of_10_ms(30, &op);
	cr_assert(op_in_flight(&op));
	cr_assert_lt(*pauses - before, 20);
	/* It goes on when there is room. */
	for (int i = 0; i < 100 && op_in_flight(&op); i++) {
		while (read(fds[1], back, sizeof(back)) > 0)
			continue;
		turns_of_10_ms(1, &op);
	}
	cr_assert_not(op_in_flight(&op));
	cr_assert_gt(result, 0);
	loop_close(l, fds[0]);
	close(fds[1]);
}

/* Each receive that is repeated goes on at another place; none is lost. */
Test(SUITE, a_receive_moves)
{
	struct op at[2] = { 0 };
	char bytes[256];
	int n = 0;

	op_recv_many(l, &at[0], pair[0], done);
	while (n < 200) {
		struct op *from = &at[n % 2], *to = &at[(n + 1) % 2];

		bytes[n] = (char)n;
		cr_assert_eq(write(pair[1], &bytes[n++], 1), 1);
		if (n % 3 == 0)
			loop_turn(l);
		op_move(l, from, to, done);
		cr_assert_not(op_in_flight(from));
	}
	while (got_size < 200)
		loop_turn(l);
	cr_assert(memcmp(got, bytes, 200) == 0);
	op_cancel(l, &at[0]);
	while (op_in_flight(&at[0]))
		loop_turn(l);
	cr_assert_eq(result, -ECANCELED);
}

/* Turns for so long, with nothing but a timer to end them. */
static void turns_for(int64_t time)
{
	struct timer soon = { 0 };

	loop_set_timer(l, &soon, time, nothing);
	while (timer_is_set(&soon))
		loop_turn(l);
}

/* Time passes without turns in which nothing happens. */
Test(SUITE, waits_are_not_turns)
{
	struct op op = { 0 };
	uint64_t enters;

	op_recv(l, &op, pair[0], done);
	turns_for(CLOCK_MS);
	enters = counters.value[COUNTER_enters];
	turns_for(20 * CLOCK_MS + CLOCK_MS / 2);
	cr_assert_leq(counters.value[COUNTER_enters] - enters, 4);
	op_cancel(l, &op);
	turns_until(1);
}

/* Who waits for readiness reads by himself, all of it or not. */
Test(SUITE, a_poll_tells_what_is_there_now)
{
	struct op op = { 0 };

	for (int i = 0; i < 3; i++) {
		op_poll(l, &op, pair[0], POLLIN, done);
		cr_assert_eq(write(pair[1], "four", 4), 4);
		turns_until(2 * i + 1);
		cr_assert_eq(read(pair[0], got, 2), 2);
		op_poll(l, &op, pair[0], POLLIN, done);
		turns_until(2 * i + 2);
		cr_assert_eq(read(pair[0], got, 4), 2);
	}
	op_poll(l, &op, pair[0], POLLIN | POLLRDHUP, done);
	turns_for(5 * CLOCK_MS);
	cr_assert_eq(calls, 6);
	shutdown(pair[1], SHUT_WR);
	turns_until(7);
	cr_assert(result & POLLRDHUP);
}

/* What a receive left undone somebody else has read: it waits on. */
Test(SUITE, receives_and_reads_take_turns)
{
	struct op op = { 0 };

	for (int i = 0; i < 5; i++) {
		op_recv(l, &op, pair[0], done);
		cr_assert_eq(write(pair[1], "x", 1), 1);
		turns_until(i + 1);
		cr_assert_eq(write(pair[1], "y", 1), 1);
		cr_assert_eq(read(pair[0], got, 1), 1);
	}
	op_recv(l, &op, pair[0], done);
	turns_for(2 * CLOCK_MS);
	cr_assert_eq(calls, 5);
	op_cancel(l, &op);
	turns_until(6);
}

/* A number that was closed is another connection's, which starts anew. */
Test(SUITE, a_number_is_used_again)
{
	struct op op = { 0 }, out = { 0 };
	int fds[2], number = -1;

	for (int i = 0; i < 20; i++) {
		connect_pair(fds);
		cr_assert(i == 0 || fds[0] == number);
		number = fds[0];
		op_recv(l, &op, number, done);
		turns_for(CLOCK_MS / 10);
		op_send(l, &out, number, "a", 1, false, done);
		turns_until(3 * i + 1);
		cr_assert_eq(result, 1);
		cr_assert_eq(write(fds[1], "b", 1), 1);
		turns_until(3 * i + 2);
		cr_assert_eq(result, 1);
		op_poll(l, &op, number, POLLIN, done);
		turns_for(CLOCK_MS / 10);
		op_cancel(l, &op);
		turns_until(3 * i + 3);
		cr_assert_eq(result, -ECANCELED);
		/* Something is there, told of to nobody, when it is closed. */
		if (i % 2)
			cr_assert_eq(write(fds[1], "c", 1), 1);
		loop_close(l, number);
		close(fds[1]);
	}
}

/* A descriptor goes to another loop and comes back. */
Test(SUITE, a_descriptor_changes_the_loop)
{
	struct loop *first = l, *second;
	struct op op = { 0 };

	setup();
	second = l;
	/* setup() has made another pair, which is used from here on. */
	for (int i = 0; i < 10; i++) {
		l = i % 2 ? second : first;
		op_recv(l, &op, pair[0], done);
		turns_for(CLOCK_MS / 10);
		cr_assert_eq(write(pair[1], "x", 1), 1);
		turns_until(i + 1);
		cr_assert_eq(result, 1);
		loop_forget(l, pair[0]);
	}
	loop_destroy(&second);
	l = first;
}

static bool is_told[2];

static void told_in(struct op *op, int rc)
{
	is_told[0] = true;
	done(op, rc);
}

static void told_out(struct op *op, int rc)
{
	is_told[1] = true;
	done(op, rc);
}

/* A send that waits for room, and a receive beside it. */
Test(SUITE, both_ways_at_once)
{
	static char big[1 << 20];
	struct op in = { 0 }, out = { 0 };

	while (write(pair[0], big, sizeof(big)) > 0)
		;
	op_recv_many(l, &in, pair[0], told_in);
	op_send(l, &out, pair[0], big, sizeof(big), false, told_out);
	turns_for(CLOCK_MS);
	cr_assert_eq(calls, 0);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	turns_until(1);
	cr_assert(is_told[0] && !is_told[1]);
	while (read(pair[1], got, sizeof(got)) > 0)
		;
	turns_until(2);
	cr_assert(is_told[1]);
	cr_assert_gt(result, 0);
	op_cancel(l, &in);
	turns_until(3);
}

/* A connection is asked for and used before it is there; one is refused. */
Test(SUITE, connecting)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct op in = { 0 }, out = { 0 };

	cr_assert_eq(bind(listener, (void *)&a, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	getsockname(listener, (void *)&a, &size);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(fd, (void *)&a, size);
	op_poll(l, &out, fd, POLLOUT, done);
	turns_until(1);
	cr_assert(result & POLLOUT);
	loop_close(l, fd);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(fd, (void *)&a, size);
	op_recv(l, &in, fd, done);
	op_send(l, &out, fd, "x", 1, false, done);
	turns_until(3);
	cr_assert_lt(result, 0);
	loop_close(l, fd);
}

/* Who waits for a buffer can be told to stop; the others get theirs. */
Test(SUITE, who_lacks_a_buffer_is_cancelled)
{
	enum {
		SOCKETS = 20
	};
	static struct op ops[SOCKETS];
	int fds[SOCKETS][2], in_flight = 0;

	for (int i = 0; i < SOCKETS; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				     fds[i]),
			0);
		cr_assert_eq(write(fds[i][1], "data", 4), 4);
		op_recv(l, &ops[i], fds[i][0], keep);
	}
	turns_for(CLOCK_MS);
	cr_assert_eq(kept_count, 16);
	for (int i = 0; i < SOCKETS; i++) {
		if (!op_in_flight(&ops[i]))
			continue;
		in_flight++;
		if (in_flight % 2) {
			ops[i].done = done;
			op_cancel(l, &ops[i]);
		}
	}
	cr_assert_eq(in_flight, 4);
	turns_until(2);
	cr_assert_eq(result, -ECANCELED);
	while (kept_count > 0)
		chunk_give(kept[--kept_count]);
	while (l->in_flight > 0)
		loop_turn(l);
	cr_assert_eq(kept_count, 2);
	while (kept_count > 0)
		chunk_give(kept[--kept_count]);
	for (int i = 0; i < SOCKETS; i++) {
		loop_close(l, fds[i][0]);
		close(fds[i][1]);
	}
}

#endif
