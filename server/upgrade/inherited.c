/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"

/* sd_listen_fds(3): the first of them. */
#define FIRST_GIVEN 3

static bool option_is(int fd, int option, int want)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 &&
	       value == want;
}

static bool cookie_of(int fd, uint64_t *cookie_r)
{
	socklen_t size = sizeof(*cookie_r);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie_r, &size) == 0;
}

static bool is_there(const struct inherited *t, uint64_t cookie)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].cookie == cookie)
			return true;
	return false;
}

/* As socket.c makes its own, whoever has made this one. */
static void make_usual(int fd)
{
	int one = 1;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	socket_set_abort(fd, true);
}

/* Room for one more of both; false: there is no memory. */
static bool make_room(struct inherited *t)
{
	struct inherited_socket *v = realloc(t->v, (t->n + 1) * sizeof(*t->v));
	uint64_t *lent;

	if (!v)
		return false;
	t->v = v;
	lent = realloc(t->lent, (t->lent_count + 1) * sizeof(*t->lent));
	if (!lent)
		return false;
	t->lent = lent;
	return true;
}

int inherited_add(struct inherited *t, int fd, bool lent)
{
	struct inherited_socket s = { .fd = fd };

	if (!option_is(fd, SO_ACCEPTCONN, 1) ||
		!option_is(fd, SO_PROTOCOL, IPPROTO_TCP) ||
		!cookie_of(fd, &s.cookie)) {
		close(fd);
		return -EINVAL;
	}
	if (is_there(t, s.cookie)) {
		close(fd);
		return 0;
	}
	address_of_self(&s.at, fd);
	if (!make_room(t)) {
		close(fd);
		return -ENOMEM;
	}
	make_usual(fd);
	if (lent)
		t->lent[t->lent_count++] = s.cookie;
	t->v[t->n++] = s;
	return 0;
}

int inherited_from_environment(struct inherited *t)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long n = pid && count && atol(pid) == getpid() ? atol(count) : 0;
	int taken = 0, rc = 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (n < 0 || n > INT16_MAX)
		return -EINVAL;
	for (int fd = FIRST_GIVEN; rc >= 0 && fd < FIRST_GIVEN + n; fd++) {
		rc = inherited_add(t, fd, true);
		taken += rc == 0;
	}
	return rc < 0 ? rc : taken;
}

static bool is_any(const struct address *a)
{
	struct address any;

	return (address_parse(&any, "::", 0) == 0 &&
		       address_same_host(a, &any)) ||
	       (address_parse(&any, "0.0.0.0", 0) == 0 &&
		       address_same_host(a, &any));
}

/* Whether it listens at all addresses, IPv4's too. */
static bool is_dual(const struct inherited_socket *s)
{
	int only = 1;
	socklen_t size = sizeof(only);

	return s->at.any.sa_family == AF_INET6 && is_any(&s->at) &&
	       getsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) ==
		       0 &&
	       !only;
}

/* Whether the socket listens where the address says. */
static bool serves(const struct inherited_socket *s, const struct address *a)
{
	if (address_port(&s->at) != address_port(a))
		return false;
	if (is_any(a) && is_dual(s))
		return true;
	return s->at.any.sa_family == a->any.sa_family &&
	       address_same_host(&s->at, a);
}

int inherited_spare(struct inherited *t, const struct address *a)
{
	for (size_t i = 0; i < t->n; i++) {
		int fd = t->v[i].fd;

		if (!serves(&t->v[i], a))
			continue;
		/* In order, so that each worker gets what it had. */
		memmove(&t->v[i], &t->v[i + 1], (--t->n - i) * sizeof(*t->v));
		return fd;
	}
	return -1;
}

bool inherited_take(
	struct inherited *t, const struct address *a, int *fds, int n)
{
	int made = 0, sockets = 0;

	if (address_port(a) == 0)
		return false;
	while (made < n && (fds[made] = inherited_spare(t, a)) >= 0)
		made++;
	sockets = made;
	for (; sockets > 0 && made < n; made++) {
		fds[made] = fcntl(fds[made % sockets], F_DUPFD_CLOEXEC, 0);
		if (fds[made] < 0)
			break;
	}
	if (sockets > 0 && made < n) {
		while (made > 0)
			close(fds[--made]);
		fds[0] = -1;
	}
	return sockets > 0;
}

bool inherited_is_lent(const struct inherited *t, int fd)
{
	uint64_t cookie;

	if (t->lent_count == 0 || !cookie_of(fd, &cookie))
		return false;
	for (size_t i = 0; i < t->lent_count; i++)
		if (t->lent[i] == cookie)
			return true;
	return false;
}

size_t inherited_close_rest(struct inherited *t)
{
	size_t closed = 0;

	for (size_t i = t->n; i > 0; i--) {
		struct inherited_socket *s = &t->v[i - 1];

		if (inherited_is_lent(t, s->fd))
			continue;
		close(s->fd);
		*s = t->v[--t->n];
		closed++;
	}
	return closed;
}

void inherited_clear(struct inherited *t)
{
	for (size_t i = 0; i < t->n; i++)
		close(t->v[i].fd);
	free(t->v);
	free(t->lent);
	*t = (struct inherited){ 0 };
}
