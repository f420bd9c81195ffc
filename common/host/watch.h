/* SPDX-License-Identifier: Apache-2.0 */

/* What wakes the main thread, one epoll(7) of it all. For this room. */

#ifndef ADIT_HOST_WATCH_H
#define ADIT_HOST_WATCH_H

#include <errno.h>
#include <sys/epoll.h>

/* Be woken while the descriptor is readable; 0 or -errno. */
static inline int watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* No more; who is not watched may be given, too. */
static inline void unwatch(int epoll, int fd)
{
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

#endif
