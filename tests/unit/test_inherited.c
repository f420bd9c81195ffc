/* SPDX-License-Identifier: Apache-2.0 */

// links: server/upgrade/inherited.c common/base/socket.c common/base/address.c

#include "server/upgrade/inherited.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"

/* By which sockets are told apart. */
static bool has_cookie(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0;
}

/* A listening socket; its address in *a_r. */
static int listening(struct address *a_r, const char *ip)
{
	struct address any;
	int fd;

	cr_assert_eq(address_parse(&any, ip, 0), 0);
	fd = socket_listen(&any);
	cr_assert_geq(fd, 0);
	if (!has_cookie(fd))
		cr_skip_test("no SO_COOKIE here");
	address_of_self(a_r, fd);
	return fd;
}

static bool is_at(int fd, const struct address *a)
{
	struct address at;

	address_of_self(&at, fd);
	return address_port(&at) == address_port(a);
}

Test(inherited, taken_by_address)
{
	struct inherited t = { 0 };
	struct address a, other;
	int fd = listening(&a, "127.0.0.1"), fds[3];

	cr_assert_eq(inherited_add(&t, fd, false), 0);
	cr_assert_eq(address_parse(&other, "127.0.0.2", address_port(&a)), 0);
	cr_assert_not(inherited_take(&t, &other, fds, 1));
	cr_assert_eq(address_parse(&other, "127.0.0.1", 0), 0);
	cr_assert_not(inherited_take(&t, &other, fds, 1));
	/* More are wanted than there are: copies. */
	cr_assert(inherited_take(&t, &a, fds, 3));
	cr_assert_eq(fds[0], fd);
	for (int i = 0; i < 3; i++) {
		cr_assert(is_at(fds[i], &a));
		cr_assert(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		close(fds[i]);
	}
	cr_assert_not(inherited_take(&t, &a, fds, 1));
	inherited_clear(&t);
}

Test(inherited, copies_are_one)
{
	struct inherited t = { 0 };
	struct address a;
	int fd = listening(&a, "127.0.0.1");

	cr_assert_eq(inherited_add(&t, dup(fd), false), 0);
	cr_assert_eq(inherited_add(&t, fd, false), 0);
	cr_assert_eq(t.n, 1);
	cr_assert_eq(inherited_close_rest(&t), 1);
	cr_assert_eq(t.n, 0);
	inherited_clear(&t);
}

Test(inherited, spares_in_their_order)
{
	struct inherited t = { 0 };
	struct address a;
	int fds[3], one;

	cr_assert_eq(address_parse(&a, "127.0.0.1", 0), 0);
	cr_assert_eq(socket_listen_shared(&a, fds, 3), 0);
	if (!has_cookie(fds[0]))
		cr_skip_test("no SO_COOKIE here");
	address_of_self(&a, fds[0]);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(inherited_add(&t, fds[i], false), 0);
	cr_assert(inherited_take(&t, &a, &one, 1));
	cr_assert_eq(one, fds[0]);
	cr_assert_eq(inherited_spare(&t, &a), fds[1]);
	cr_assert_eq(inherited_spare(&t, &a), fds[2]);
	cr_assert_eq(inherited_spare(&t, &a), -1);
	inherited_clear(&t);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

Test(inherited, any_address)
{
	struct inherited t = { 0 };
	struct address a, any;
	int fd = listening(&a, "::"), one;

	cr_assert_eq(inherited_add(&t, fd, true), 0);
	cr_assert_eq(address_parse(&any, "127.0.0.1", address_port(&a)), 0);
	cr_assert_not(inherited_take(&t, &any, &one, 1));
	cr_assert_eq(address_parse(&any, "0.0.0.0", address_port(&a)), 0);
	cr_assert(inherited_take(&t, &any, &one, 1));
	cr_assert(inherited_is_lent(&t, one));
	close(one);
	inherited_clear(&t);
}

Test(inherited, lent_ones_stay)
{
	struct inherited t = { 0 };
	struct address a, b;
	int mine = listening(&a, "127.0.0.1"),
	    lent = listening(&b, "127.0.0.1");

	cr_assert_eq(inherited_add(&t, mine, false), 0);
	cr_assert_eq(inherited_add(&t, lent, true), 0);
	cr_assert_not(inherited_is_lent(&t, mine));
	cr_assert(inherited_is_lent(&t, lent));
	cr_assert_eq(inherited_close_rest(&t), 1);
	cr_assert_eq(t.n, 1);
	cr_assert_eq(inherited_spare(&t, &b), lent);
	close(lent);
	inherited_clear(&t);
}

Test(inherited, what_does_not_listen)
{
	struct inherited t = { 0 };

	cr_assert_eq(
		inherited_add(&t, open("/dev/null", O_RDONLY), false), -EINVAL);
	cr_assert_eq(inherited_add(&t, socket(AF_INET, SOCK_STREAM, 0), false),
		-EINVAL);
	cr_assert_eq(inherited_add(&t, socket(AF_INET, SOCK_DGRAM, 0), false),
		-EINVAL);
	cr_assert_eq(t.n, 0);
	inherited_clear(&t);
}

Test(inherited, environment)
{
	struct inherited t = { 0 };
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid() + 1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	cr_assert_eq(inherited_from_environment(&t), 0, "another's");
	cr_assert_not(getenv("LISTEN_FDS"));
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "-1", 1);
	cr_assert_eq(inherited_from_environment(&t), -EINVAL);
	inherited_clear(&t);
}
