/* SPDX-License-Identifier: Apache-2.0 */

/* The epoll backend against the real kernel. */
// links: common/event/epoll.c common/event/epoll_place.c common/event/epoll_try.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/event/send.c

#define BACKEND backend_epoll
#define SUITE epoll

#include "tests/unit/backend_cases.h"

TestSuite(epoll, .init = setup, .fini = finish);

static int endings;

static void note_ending(struct op *op, int rc)
{
	endings += op->ending;
	done(op, rc);
}

/* The end that has come behind bytes is told of with them. */
Test(epoll, an_end_behind_bytes)
{
	struct op op = { 0 };

	op_recv_many(l, &op, pair[0], note_ending);
	turns_for(CLOCK_MS);
	cr_assert_eq(write(pair[1], "last", 4), 4);
	shutdown(pair[1], SHUT_WR);
	loop_turn(l);
	cr_assert_eq(calls, 2);
	cr_assert_eq(endings, 1);
	cr_assert_eq(result, 0);
}

/* A receive stops short of an urgent byte: what is behind it comes, too. */
Test(epoll, bytes_behind_an_urgent_one)
{
	struct op op = { 0 };
	int fds[2];

	connect_pair(fds);
	op_recv_many(l, &op, fds[0], done);
	turns_for(CLOCK_MS);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(write(fds[1], "before", 6), 6);
		cr_assert_eq(send(fds[1], "!", 1, MSG_OOB), 1);
		cr_assert_eq(write(fds[1], "behind", 6), 6);
		turns_for(5 * CLOCK_MS);
		cr_assert_eq(got_size, 12 * (size_t)(i + 1));
	}
	op_cancel(l, &op);
	turns_until(calls + 1);
	loop_close(l, fds[0]);
	close(fds[1]);
}

/* A flood of connections leaves others their turn. */
Test(epoll, accepts_are_bounded)
{
	enum {
		FLOOD = 200
	};
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c[FLOOD];
	socklen_t size = sizeof(a);
	struct op op = { 0 };
	int before = 0;

	cr_assert_eq(bind(fd, (void *)&a, size), 0);
	cr_assert_eq(listen(fd, FLOOD), 0);
	getsockname(fd, (void *)&a, &size);
	for (int i = 0; i < FLOOD; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(connect(c[i], (void *)&a, sizeof(a)), 0);
	}
	op_accept(l, &op, fd, accepted);
	while (calls < FLOOD) {
		loop_turn(l);
		cr_assert_leq(calls - before, 64);
		before = calls;
	}
	op_cancel(l, &op);
	turns_until(FLOOD + 1);
	for (int i = 0; i < FLOOD; i++)
		close(c[i]);
	close(fd);
}

/* That there is no room says nothing of an end that was told of before. */
Test(epoll, an_end_is_not_forgotten)
{
	static char big[1 << 20];
	struct op in = { 0 }, out = { 0 };

	op_poll(l, &in, pair[0], POLLIN, done);
	turns_for(CLOCK_MS);
	while (write(pair[0], big, sizeof(big)) > 0)
		;
	cr_assert_eq(write(pair[1], "last", 4), 4);
	shutdown(pair[1], SHUT_WR);
	turns_until(1);
	/* Once to be told of room at all, and once more. */
	for (int i = 0; i < 2; i++) {
		op_poll(l, &out, pair[0], POLLOUT, done);
		turns_for(CLOCK_MS);
		cr_assert_eq(calls, i + 1);
		op_cancel(l, &out);
		turns_until(i + 2);
	}
	op_recv_many(l, &in, pair[0], done);
	turns_until(5);
	cr_assert_eq(got_size, 4);
	cr_assert_eq(result, 0);
}
