/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/handover.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Both programs are of one machine: no byte order, no padding. */
struct head {
	uint32_t type, number;
};

/* Room for the descriptors, aligned for their header. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(HANDOVER_FDS * sizeof(int))];
};

int handover_send(int socket, enum handover_type type, uint32_t number,
	const int *fds, size_t fd_count, const void *bytes, size_t size)
{
	struct head head = { type, number };
	struct iovec parts[] = { { &head, sizeof(head) },
		{ (void *)(uintptr_t)bytes, size } };
	union control control = { 0 };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };
	struct cmsghdr *c;

	if (fd_count > HANDOVER_FDS || size > HANDOVER_BYTES)
		return -EMSGSIZE;
	if (fd_count > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	if (sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* Too many descriptors on their way are none for ever (unix(7)). */
	return errno == ETOOMANYREFS ? -EAGAIN : -errno;
}

int handover_say(
	int socket, enum handover_type type, uint32_t number, const char *text)
{
	return handover_send(socket, type, number, NULL, 0, text, strlen(text));
}

static void take_fds(struct handover_message *m, struct msghdr *from)
{
	struct cmsghdr *c;

	m->fd_count = 0;
	for (c = CMSG_FIRSTHDR(from); c; c = CMSG_NXTHDR(from, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		/* No more than there is room for: there is one such header. */
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(m->fds, CMSG_DATA(c), n * sizeof(int));
		m->fd_count = n;
	}
}

int handover_take(int socket, struct handover_message *m)
{
	struct head head;
	struct iovec parts[] = { { &head, sizeof(head) },
		{ m->bytes, HANDOVER_BYTES } };
	union control control;
	struct msghdr from = { .msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(socket, &from, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	m->fd_count = 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	take_fds(m, &from);
	if (n < (ssize_t)sizeof(head) ||
		from.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		handover_close_fds(m);
		return -EPROTO;
	}
	m->type = head.type;
	m->number = head.number;
	m->size = (size_t)n - sizeof(head);
	m->bytes[m->size] = '\0';
	return 1;
}

int handover_await(int socket, struct handover_message *m)
{
	int64_t end = clock_now() + HANDOVER_PATIENCE;
	struct pollfd p = { .fd = socket, .events = POLLIN };

	for (;;) {
		int64_t left = end - clock_now();
		int rc = handover_take(socket, m);

		if (rc != -EAGAIN)
			return rc;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / CLOCK_MS) + 1) < 0 &&
			errno != EINTR)
			return -errno;
	}
}

void handover_close_fds(struct handover_message *m)
{
	while (m->fd_count > 0)
		close(m->fds[--m->fd_count]);
}

bool handover_is_ours(int socket, int *pid_r)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*pid_r = peer.pid;
	return peer.uid == geteuid();
}
