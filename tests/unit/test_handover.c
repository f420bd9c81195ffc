/* SPDX-License-Identifier: Apache-2.0 */

// links: server/upgrade/handover.c

#include "server/upgrade/handover.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static void setup(void)
{
	cr_assert_eq(
		socketpair(AF_UNIX,
			SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
		0);
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

TestSuite(handover, .init = setup, .fini = teardown);

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(handover, there_and_back)
{
	static struct handover_message m;
	uint8_t bytes[HANDOVER_BYTES];
	int fds[HANDOVER_FDS], before = count_fds();

	memset(bytes, 7, sizeof(bytes));
	for (int i = 0; i < HANDOVER_FDS; i++)
		fds[i] = ends[0];
	cr_assert_eq(handover_take(ends[1], &m), -EAGAIN);
	cr_assert_eq(handover_send(ends[0], HANDOVER_LISTENERS, 5, fds,
			     HANDOVER_FDS, bytes, sizeof(bytes)),
		0);
	cr_assert_eq(handover_say(ends[0], HANDOVER_HELLO, 1, "text"), 0);
	cr_assert_eq(handover_await(ends[1], &m), 1);
	cr_assert_eq(m.type, HANDOVER_LISTENERS);
	cr_assert_eq(m.number, 5);
	cr_assert_eq(m.fd_count, HANDOVER_FDS);
	cr_assert_eq(m.size, sizeof(bytes));
	cr_assert_eq(memcmp(m.bytes, bytes, sizeof(bytes)), 0);
	cr_assert_eq(count_fds(), before + HANDOVER_FDS);
	handover_close_fds(&m);
	cr_assert_eq(count_fds(), before);
	cr_assert_eq(handover_take(ends[1], &m), 1);
	cr_assert_eq(m.type, HANDOVER_HELLO);
	cr_assert_str_eq((char *)m.bytes, "text");
	close(ends[0]);
	cr_assert_eq(handover_take(ends[1], &m), 0);
	ends[0] = dup(ends[1]);
}

Test(handover, what_is_none)
{
	static struct handover_message m;
	static uint8_t bytes[HANDOVER_BYTES + 100];
	int fds[HANDOVER_FDS + 1] = { 0 };

	cr_assert_eq(handover_send(ends[0], HANDOVER_VISITOR, 0, NULL, 0, bytes,
			     HANDOVER_BYTES + 1),
		-EMSGSIZE);
	cr_assert_eq(handover_send(ends[0], HANDOVER_VISITOR, 0, fds,
			     HANDOVER_FDS + 1, NULL, 0),
		-EMSGSIZE);
	cr_assert_eq(send(ends[0], bytes, 7, 0), 7);
	cr_assert_eq(handover_take(ends[1], &m), -EPROTO, "too short");
	cr_assert_eq(
		send(ends[0], bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
	cr_assert_eq(handover_take(ends[1], &m), -EPROTO, "too long");
	cr_assert_eq(handover_take(ends[1], &m), -EAGAIN);
}

/* Whether recvmsg(2) tells of descriptors that it had no room for. */
static bool tells_of_too_many(void)
{
	int fds[3] = { ends[0], ends[0], ends[0] };
	char large[CMSG_SPACE(sizeof(fds))] = { 0 };
	char small[CMSG_SPACE(sizeof(int))];
	struct iovec part = { "1", 1 };
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = large,
		.msg_controllen = sizeof(large) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	char byte;
	int n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	cr_assert_eq(sendmsg(ends[0], &m, 0), 1);
	part = (struct iovec){ &byte, 1 };
	m.msg_control = small;
	m.msg_controllen = sizeof(small);
	cr_assert_eq(recvmsg(ends[1], &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	cr_assert_not_null(c);
	n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(c), (size_t)n * sizeof(int));
	while (n > 0)
		close(fds[--n]);
	return m.msg_flags & MSG_CTRUNC;
}

Test(handover, too_many_descriptors)
{
	static struct handover_message m;
	char control[CMSG_SPACE(100 * sizeof(int))] = { 0 };
	struct iovec part = { "12345678", 8 };
	struct msghdr from = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&from);
	int before;

	if (!tells_of_too_many())
		cr_skip_test("no MSG_CTRUNC here");
	before = count_fds();
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(100 * sizeof(int));
	for (int i = 0; i < 100; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &ends[0],
			sizeof(int));
	cr_assert_eq(sendmsg(ends[0], &from, 0), 8);
	cr_assert_eq(handover_take(ends[1], &m), -EPROTO);
	cr_assert_eq(count_fds(), before, "none is left open");
}

Test(handover, no_room)
{
	static uint8_t bytes[HANDOVER_BYTES];
	int rc = 0, n = 0;

	while (rc == 0 && n++ < 100000)
		rc = handover_send(ends[0], HANDOVER_VISITOR, 0, &ends[0], 1,
			bytes, sizeof(bytes));
	cr_assert_eq(rc, -EAGAIN);
}

Test(handover, whose)
{
	int pid;

	cr_assert(handover_is_ours(ends[0], &pid));
	cr_assert_eq(pid, getpid());
}
