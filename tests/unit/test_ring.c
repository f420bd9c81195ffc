/* SPDX-License-Identifier: Apache-2.0 */

/* The io_uring backend against the real kernel. */
// links: common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c
// libs: -luring

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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
	int rc = loop_create(&l, &backend_ring, &params);

	cr_assert_eq(rc, 0, "io_uring: %s; %s", strerror(-rc),
		backend_ring_hint(-rc));
	cr_assert_eq(loop_enter(l), 0);
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

/* The kernel must not have started a thread for anything we asked. */
static void expect_no_worker_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	while ((e = readdir(d))) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		cr_assert_not_null(fgets(name, sizeof(name), f));
		cr_assert(strncmp(name, "iou-wrk", 7) != 0, "%s", name);
		fclose(f);
	}
	closedir(d);
}

static void teardown(void)
{
	expect_no_worker_threads();
	cr_assert_eq(l->in_flight, 0);
	cr_assert_eq(chunk_pool_used(l->chunks), 0);
	loop_destroy(&l);
	close(pair[0]);
	close(pair[1]);
}

TestSuite(ring, .init = setup, .fini = teardown);

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

Test(ring, receive_bytes_then_the_end)
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

Test(ring, send_takes_what_fits)
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

Test(ring, send_to_nobody)
{
	struct op op = { 0 };

	close(pair[1]);
	pair[1] = -1;
	op_send(l, &op, pair[0], "x", 1, false, done);
	turns_until(1);
	cr_assert_eq(result, -EPIPE);
}

Test(ring, cancel_of_each_kind)
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

Test(ring, cancel_races_with_bytes)
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

Test(ring, poll)
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

Test(ring, accept)
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

Test(ring, receives_wait_for_buffers)
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
Test(ring, receives_again_and_again_give_others_their_turn)
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
 * Bytes and a reset that come between two turns: the kernel may have told of
 * the bytes only (see ring_missed.c), and the reset is not to be missed.
 */
Test(ring, a_reset_behind_bytes_is_not_missed)
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

Test(ring, hints_say_what_to_do)
{
	cr_assert(strstr(backend_ring_hint(EPERM), "seccomp") ||
		  strstr(backend_ring_hint(EPERM), "io_uring_disabled"));
	cr_assert(strstr(backend_ring_hint(ENOSYS), "seccomp"));
	cr_assert(strstr(backend_ring_hint(ENOMEM), "ulimit -l"));
	cr_assert(strstr(backend_ring_hint(EMFILE), "ulimit -n"));
	cr_assert(strstr(backend_ring_hint(EINVAL), "Linux 6.1"));
	cr_assert_gt(strlen(backend_ring_hint(EIO)), 5);
}

/* Each receive that is repeated goes on at another place; none is lost. */
Test(ring, a_receive_moves)
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
