/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Places by descriptor. One is registered when its first operation has to
 * wait, and stays so until it is closed or leaves the loop: epoll tells of
 * changes only (EPOLLET), and what it told is kept here until a try denies it.
 */

#include "common/event/epoll.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#define PLACES_LEAST 256

/* With these, nothing that ends a connection is overlooked (epoll(7)). */
#define END (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/*
 * Of what is registered, whatever it waits for. Before urgent data a receive
 * stops short, though there is more (tcp(7)).
 */
#define ALWAYS (EPOLLIN | EPOLLRDHUP | EPOLLPRI)

_Static_assert((EPOLLIN | EPOLLOUT | EPOLLPRI | END) <= UINT16_MAX,
	"they fit into a place");

void place_make(struct epoll *e, int fd)
{
	uint32_t n = e->place_count ? e->place_count : PLACES_LEAST;
	struct place *places;

	if ((uint32_t)fd < e->place_count)
		return;
	while (n <= (uint32_t)fd)
		n *= 2;
	places = realloc(e->places, n * sizeof(*places));
	if (!places) {
		fputs("no memory for what is known of descriptors\n", stderr);
		abort();
	}
	for (uint32_t i = e->place_count; i < n; i++)
		places[i] = (struct place){ .first = NO_SLOT };
	e->places = places;
	e->place_count = n;
}

bool place_tells(const struct place *p, uint32_t events)
{
	return p->asked && !(events & ~p->asked & EPOLLOUT);
}

bool place_may(const struct place *p, uint32_t events)
{
	return !place_tells(p, events) || (p->ready & (events | END));
}

int place_await(struct epoll *e, int fd, uint32_t events)
{
	struct place *p = place_of(e, fd);
	uint32_t asked = p->asked | ALWAYS | (events & EPOLLOUT);
	struct epoll_event ev = { .events = asked | EPOLLET };
	int rc;

	p->ready = (uint16_t)(p->ready & ~events);
	if (asked == p->asked)
		return 0;
	ev.data.u64 = (uint64_t)p->generation << 32 | (uint32_t)fd;
	rc = epoll_ctl(
		e->fd, p->asked ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
	/* Another copy of the descriptor has kept what this one left. */
	if (rc < 0 && errno == EEXIST)
		rc = epoll_ctl(e->fd, EPOLL_CTL_MOD, fd, &ev);
	if (rc < 0)
		return -errno;
	/* What is true already is told of by the next wait. */
	p->asked = (uint16_t)asked;
	return 0;
}

bool place_drained(struct place *p)
{
	if (p->ready & (END | EPOLLPRI))
		return false;
	p->ready &= (uint16_t)~EPOLLIN;
	return true;
}

void place_forget(struct epoll *e, int fd, bool open)
{
	struct place *p;

	if ((uint32_t)fd >= e->place_count)
		return;
	p = place_of(e, fd);
	assert(p->first == NO_SLOT);
	/* With its last copy, close(2) takes a descriptor out of epoll. */
	if (open && p->asked)
		epoll_ctl(e->fd, EPOLL_CTL_DEL, fd, NULL);
	p->asked = p->ready = 0;
	p->generation++;
}
