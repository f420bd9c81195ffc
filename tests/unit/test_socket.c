/* SPDX-License-Identifier: Apache-2.0 */

/* Sockets on loopback: listening, connecting, cutting, who holds a port. */
// links: common/base/socket.c common/base/address.c

#include "common/base/socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_here(struct address *a)
{
	int fd;

	cr_assert_eq(address_parse(a, "127.0.0.1", 0), 0);
	fd = socket_listen(a);
	cr_assert_geq(fd, 0);
	address_of_self(a, fd);
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	cr_assert_eq(poll(&p, 1, 2000), 1);
}

static int connect_to(const struct address *a)
{
	bool pending;
	int fd = socket_connect(a, NULL, &pending);

	cr_assert_geq(fd, 0);
	if (pending)
		wait_for(fd, POLLOUT);
	return fd;
}

Test(socket, connection)
{
	struct address a, self, peer;
	int fd = listen_here(&a), client = connect_to(&a), server;

	cr_assert_eq(socket_error(client), 0);
	cr_assert(fcntl(client, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
	wait_for(fd, POLLIN);
	server = accept(fd, NULL, NULL);
	socket_tune(server, 60);
	address_of_self(&self, client);
	address_of_peer(&peer, server);
	cr_assert_eq(address_port(&self), address_port(&peer));
	/* A cut arrives as a reset. */
	close(client);
	wait_for(server, POLLIN);
	cr_assert_eq(recv(server, &a, 1, 0), -1);
	cr_assert_eq(errno, ECONNRESET);
	close(server);
	close(fd);
}

/* Nobody has touched the accepted socket yet, as when a process is killed. */
Test(socket, accepted_is_cut_unless_ended)
{
	struct address a;
	int fd = listen_here(&a);

	for (int ended = 0; ended < 2; ended++) {
		int client = connect_to(&a), server;

		wait_for(fd, POLLIN);
		server = accept(fd, NULL, NULL);
		if (ended)
			socket_set_abort(server, false);
		close(server);
		wait_for(client, POLLIN);
		cr_assert_eq(recv(client, &a, 1, 0), ended ? 0 : -1);
		close(client);
	}
	close(fd);
}

/* Who has said something is there at once, who has not a second later. */
Test(socket, the_silent_come_later)
{
	struct address a;
	int fd = listen_here(&a), silent, client;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	socket_defer(fd);
	silent = connect_to(&a);
	cr_assert_eq(poll(&p, 1, 50), 0);
	client = connect_to(&a);
	cr_assert_eq(send(client, "x", 1, 0), 1);
	wait_for(fd, POLLIN);
	close(accept(fd, NULL, NULL));
	cr_assert_eq(poll(&p, 1, 0), 0);
	cr_assert_eq(poll(&p, 1, 5000), 1);
	close(silent);
	close(client);
	close(fd);
}

Test(socket, refused_and_taken)
{
	struct address a;
	char owner[128], want[64];
	bool pending;
	int fd = listen_here(&a), client;

	cr_assert_eq(socket_listen(&a), -EADDRINUSE);
	cr_assert(socket_find_owner(&a, owner, sizeof(owner)));
	snprintf(want, sizeof(want), "(pid %d)", getpid());
	cr_assert(strstr(owner, want), "%s", owner);
	/* Shut down, the port is free at once. */
	shutdown(fd, SHUT_RDWR);
	/* Loopback may tell at once or later. */
	client = socket_connect(&a, NULL, &pending);
	if (client >= 0) {
		wait_for(client, POLLOUT);
		cr_assert_eq(socket_error(client), -ECONNREFUSED);
		close(client);
	} else {
		cr_assert_eq(client, -ECONNREFUSED);
	}
	client = socket_listen(&a);
	cr_assert_geq(client, 0);
	close(client);
	close(fd);
	cr_assert_not(socket_find_owner(&a, owner, sizeof(owner)));
	cr_assert_str_eq(owner, "another process");
}

/* The other end sends five bytes, perhaps an end, then a cut. */
/* An emulator of system calls may know of none. */
static bool has_tcp_info(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       size > sizeof(int);
}

Test(socket, a_reset_without_an_end)
{
	struct address a;
	int fd = listen_here(&a);

	if (!has_tcp_info(fd))
		cr_skip_test("no TCP_INFO here");

	for (int ended = 0; ended < 2; ended++) {
		bool pending;
		int client = socket_connect(&a, NULL, &pending), server;
		char bytes[8];

		wait_for(client, POLLOUT);
		server = accept(fd, NULL, NULL);
		cr_assert_eq(send(server, "12345", 5, 0), 5);
		if (ended)
			shutdown(server, SHUT_WR);
		wait_for(client, POLLIN);
		cr_assert_eq(recv(client, bytes, 8, 0), 5);
		if (ended)
			cr_assert_eq(recv(client, bytes, 8, 0), 0);
		socket_set_abort(server, true);
		close(server);
		wait_for(client, POLLHUP);
		/* The first to ask is told; afterwards it looks like an end. */
		cr_assert_eq(
			socket_error(client), ended ? -EPIPE : -ECONNRESET);
		cr_assert_eq(recv(client, bytes, 8, 0), 0);
		cr_assert_eq(socket_was_reset(client, 5), !ended);
		close(client);
	}
	close(fd);
}
