/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/host/watch.h"

static void set_state(struct host *h, enum host_state state)
{
	char reloading[96];
	const char *const lines[] = {
		[HOST_READY] = "READY=1\nSTATUS=ready",
		[HOST_RELOADING] = reloading,
		[HOST_STOPPING] = "STOPPING=1\nSTATUS=draining",
	};

	if (h->state == state)
		return;
	h->state = state;
	/* By its time a manager tells this one from others. */
	snprintf(reloading, sizeof(reloading),
		"RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading",
		clock_now() / (CLOCK_MS / 1000));
	notify_send(&h->notify, lines[state]);
}

void host_reload_begins(struct host *h)
{
	if (h->state == HOST_READY)
		set_state(h, HOST_RELOADING);
}

void host_reload_ended(struct host *h)
{
	if (h->state == HOST_RELOADING)
		set_state(h, HOST_READY);
}

int host_open(struct host *h, struct core *const *cores, int n)
{
	int rc;

	*h = (struct host){ .notify.fd = -1 };
	h->fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->fd < 0)
		return -errno;
	notify_open(&h->notify);
	rc = pulse_open(&h->pulse, cores, n);
	return rc < 0 ? rc : host_watch(h, h->pulse.fd);
}

int host_watch(struct host *h, int fd)
{
	return watch(h->fd, fd);
}

void host_unwatch(struct host *h, int fd)
{
	unwatch(h->fd, fd);
}

int host_serve_health(struct host *h)
{
	return health_create(&h->health, h->fd);
}

/* A sign of life whenever half of the time is over. */
static int keep_watchdog(struct host *h)
{
	int64_t now = clock_now(), wait;

	if (h->notify.watchdog == 0)
		return -1;
	if (h->beat && pulse_is_back(&h->pulse, h->beat)) {
		h->beat = 0;
		notify_send(&h->notify, "WATCHDOG=1");
	}
	if (!h->beat && now >= h->next_beat) {
		h->beat = pulse_ask(&h->pulse);
		h->next_beat = now + h->notify.watchdog / 2;
	}
	if (h->beat)
		return -1;
	wait = (h->next_beat - now) / CLOCK_MS + 1;
	return wait < INT32_MAX ? (int)wait : INT32_MAX;
}

static const char *why_unready(const struct host *h)
{
	switch (h->state) {
	case HOST_STARTING:
		return "starting";
	case HOST_STOPPING:
		return "draining";
	default:
		return NULL;
	}
}

int host_look(struct host *h, bool ready, struct core_chores *c)
{
	int beat, health = -1;
	bool begun;

	if (c->woken)
		pulse_rest(&h->pulse);
	/* Nobody is told, nobody asks, and nothing waits for the beginning. */
	if (h->notify.fd < 0 && !h->health && !h->sandbox)
		return -1;
	if (h->first == 0)
		h->first = pulse_ask(&h->pulse);
	begun = pulse_is_back(&h->pulse, h->first);
	if (begun && h->sandbox)
		sandbox_close(h->sandbox);
	c->sealed = h->sandbox && h->sandbox->state == SANDBOX_CLOSED &&
		    h->sandbox->landlock_error == 0;
	if (c->ending)
		set_state(h, HOST_STOPPING);
	else if (ready && h->state == HOST_STARTING && begun)
		set_state(h, HOST_READY);
	beat = keep_watchdog(h);
	if (h->health)
		health = health_look(
			h->health, &h->pulse, why_unready(h), c->woken);
	/* -1 is never. */
	return (unsigned)beat < (unsigned)health ? beat : health;
}

void host_wake(const struct host *h)
{
	pulse_wake(&h->pulse);
}

void host_leave(struct host *h)
{
	notify_close(&h->notify);
	h->notify.watchdog = 0;
	if (h->health)
		health_leave(h->health);
}

void host_close(struct host *h)
{
	if (!h->pulse.cores)
		return;
	health_destroy(&h->health);
	pulse_close(&h->pulse);
	notify_close(&h->notify);
	close(h->fd);
	*h = (struct host){ .notify.fd = -1 };
}
