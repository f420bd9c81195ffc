/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

/* A number above 0 that is all of the text; else 0. */
static int64_t read_number(const char *text)
{
	char *end;
	long long n;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoll(text, &end, 10);
	return errno || *end ? 0 : n;
}

static int64_t find_watchdog(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	int64_t us = read_number(getenv("WATCHDOG_USEC"));

	if (pid && read_number(pid) != getpid())
		return 0;
	return us > INT64_MAX / (CLOCK_MS / 1000) ? 0 : us * (CLOCK_MS / 1000);
}

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t size = name ? strlen(name) : 0;

	*n = (struct notify){ .fd = -1 };
	if (size < 2 || size >= sizeof(n->to.sun_path) ||
		(name[0] != '/' && name[0] != '@'))
		return;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, size);
	n->to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	if (name[0] == '@')
		n->to.sun_path[0] = '\0';
	else
		n->to_size++;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0)
		n->watchdog = find_watchdog();
}

void notify_watch(struct notify *n, uint32_t ms)
{
	if (n->fd >= 0 && ms > 0)
		n->watchdog = (int64_t)ms * CLOCK_MS;
}

void notify_send(const struct notify *n, const char *lines)
{
	if (n->fd >= 0 &&
		sendto(n->fd, lines, strlen(lines), MSG_DONTWAIT | MSG_NOSIGNAL,
			(const struct sockaddr *)&n->to, n->to_size) < 0)
		return;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
