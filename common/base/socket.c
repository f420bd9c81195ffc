/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/socket.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h> /* its tcp_info is the newer one */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"

#define BACKLOG 16384

static int socket_new(const struct address *a)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(a->any.sa_family, type, 0);

	if (fd < 0)
		return -errno;
	/* What a listening socket accepts inherits it. */
	socket_set_abort(fd, true);
	return fd;
}

static int fail(int fd)
{
	int rc = -errno;

	close(fd);
	return rc;
}

/* A bound socket, alone on its port or sharing it with its like. */
static int socket_bound(const struct address *a, bool shared)
{
	int one = 1, off = 0, fd = socket_new(a);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return fail(fd);
	/* What is accepted has its listener's options from the start. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (shared &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
		return fail(fd);
	/* "::" serves IPv4 too, as in frp. */
	if (a->any.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return fail(fd);
	return bind(fd, &a->any, a->size) < 0 ? fail(fd) : fd;
}

int socket_listen(const struct address *a)
{
	int fd = socket_bound(a, false);

	return fd >= 0 && listen(fd, BACKLOG) < 0 ? fail(fd) : fd;
}

int socket_listen_shared(const struct address *a, int *fds, int n)
{
	struct address at = *a;
	int made = 0, rc;

	if (n == 1) {
		fds[0] = socket_listen(a);
		return fds[0] < 0 ? fds[0] : 0;
	}
	rc = socket_bound(a, false);
	if (rc < 0)
		return rc;
	/* Now the port is known, also when it was for the kernel to pick. */
	address_of_self(&at, rc);
	close(rc);
	for (; made < n; made++) {
		rc = socket_bound(&at, true);
		if (rc < 0)
			break;
		fds[made] = rc;
	}
	/* All are bound before the first one takes connections. */
	for (int i = 0; rc >= 0 && i < made; i++)
		if (listen(fds[i], BACKLOG) < 0)
			rc = -errno;
	if (rc >= 0)
		return 0;
	while (made > 0)
		close(fds[--made]);
	return rc;
}

/*
 * No pacing within this machine. Where the system's default is BBR, each two
 * segments that follow at once would arm a timer of the kernel, which costs a
 * third of the CPU of 64 KiB responses (ARCHITECTURE.md). To be said before
 * the connection is made: what once paced goes on (tcp(7), TCP_CONGESTION).
 */
static void set_unpaced(int fd)
{
	static const char *const algorithms[] = { "cubic", "reno" };

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithms[i],
			    (socklen_t)strlen(algorithms[i])) == 0)
			return;
}

int socket_connect(
	const struct address *a, const struct address *local, bool *pending_r)
{
	struct pollfd p = { .events = POLLOUT };
	int one = 1, fd = socket_new(a);

	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (address_is_loopback(a))
		set_unpaced(fd);
	if (local && bind(fd, &local->any, local->size) < 0)
		return fail(fd);
	*pending_r = false;
	if (connect(fd, &a->any, a->size) == 0)
		return fd;
	if (errno != EINPROGRESS)
		return fail(fd);
	/* On loopback the outcome is there by now: spare the caller a wait. */
	p.fd = fd;
	if (poll(&p, 1, 0) == 1) {
		errno = -socket_error(fd);
		return errno ? fail(fd) : fd;
	}
	*pending_r = true;
	return fd;
}

bool socket_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

int socket_listen_local(const char *path, int type, int backlog)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (rc == 0 && listen(fd, backlog) < 0) {
		rc = -errno;
		unlink(path);
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int64_t socket_on_the_way(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return 0;
	return (int64_t)(info.tcpi_bytes_sent - info.tcpi_bytes_retrans -
			 info.tcpi_bytes_acked + info.tcpi_notsent_bytes);
}

int socket_segment(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -errno;
	return (int)info.tcpi_snd_mss;
}

int64_t socket_rtt(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return 0;
	return info.tcpi_rtt * (CLOCK_MS / 1000);
}

bool socket_was_reset(int fd, uint32_t received)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       (uint32_t)info.tcpi_bytes_received == received;
}

bool socket_is_over(int fd)
{
	struct sockaddr peer;
	socklen_t size = sizeof(peer);

	return getpeername(fd, &peer, &size) < 0 && errno == ENOTCONN;
}

bool socket_is_reset(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

void socket_tune(int fd, int64_t keepalive_s)
{
	int one = 1, idle = (int)keepalive_s;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (keepalive_s <= 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
}

void socket_set_abort(int fd, bool abort)
{
	struct linger l = { .l_onoff = abort, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

void socket_defer(int fd)
{
	int seconds = 1;

	setsockopt(
		fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

/* The inode of the listening socket on the port, 0 if none is seen. */
static uint64_t find_inode(const char *table, uint16_t port)
{
	FILE *f = fopen(table, "re");
	char line[512];
	uint64_t inode = 0;

	while (f && !inode && fgets(line, sizeof(line), f)) {
		unsigned at, state;
		uint64_t i;

		/* proc(5): state 0A is LISTEN */
		if (sscanf(line,
			    " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s "
			    "%" SCNu64,
			    &at, &state, &i) == 3 &&
			at == port && state == 0x0a)
			inode = i;
	}
	if (f)
		fclose(f);
	return inode;
}

/* Whether one of the process's descriptors is the socket. */
static bool process_holds(const char *pid, uint64_t inode)
{
	char path[300], link[64], want[64];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", inode);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n =
			readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		link[n < 0 ? 0 : n] = '\0';
		found = !strcmp(link, want);
	}
	if (d)
		closedir(d);
	return found;
}

static void describe(const char *pid, char *text, size_t size)
{
	char path[300], name[64] = "?";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	snprintf(text, size, "%s (pid %s)", name, pid);
}

bool socket_find_owner(const struct address *a, char *text, size_t size)
{
	uint64_t inode = find_inode("/proc/net/tcp", address_port(a));
	bool found = false;
	struct dirent *e;
	DIR *d;

	if (!inode)
		inode = find_inode("/proc/net/tcp6", address_port(a));
	snprintf(text, size, "another process");
	d = inode ? opendir("/proc") : NULL;
	while (d && !found && (e = readdir(d))) {
		found = strspn(e->d_name, "0123456789") == strlen(e->d_name) &&
			process_holds(e->d_name, inode);
		if (found)
			describe(e->d_name, text, size);
	}
	if (d)
		closedir(d);
	return found;
}
