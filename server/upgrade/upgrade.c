/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/upgrade.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/base/version.h"
#include "server/listener.h"
#include "server/server.h"
#include "server/upgrade/console.h"
#include "server/upgrade/handover.h"
#include "server/upgrade/yielding.h"
#include "server/worker.h"

/* In ms: for the other one to read, and until the workers are asked again. */
#define ROOM_PATIENCE 1000
#define LATER 2

static void set_state(struct upgrade *u, enum upgrade_state state)
{
	assert(u->state != UPGRADE_LEFT);
	u->until = clock_now() + (state == UPGRADE_WELCOME ? UPGRADE_PREPARES
							   : HANDOVER_PATIENCE);
	u->state = state;
}

void upgrade_init(struct upgrade *u)
{
	*u = (struct upgrade){ .listener = -1, .peer = -1 };
}

/* Whoever it is, it has gone; the workers go on where they were told to. */
static void give_up(struct server *s, const char *why)
{
	struct upgrade *u = &s->upgrade;
	bool told = u->state >= UPGRADE_VISITORS;

	log_warn("upgrade: pid %d has not taken over: %s", u->pid, why);
	close(u->peer);
	u->peer = -1;
	set_state(u, told ? UPGRADE_RESUMING : UPGRADE_IDLE);
	if (told)
		yielding_post(s, YIELDING_NOT, ++u->round);
}

static void step(
	struct server *s, enum upgrade_state state, enum yielding_state workers)
{
	set_state(&s->upgrade, state);
	yielding_post(s, workers, ++s->upgrade.round);
}

static void refuse(struct server *s, const char *why)
{
	if (handover_say(s->upgrade.peer, HANDOVER_REFUSED, 0, why) < 0)
		log_debug("upgrade: nobody hears that: %s", why);
	give_up(s, why);
}

/* Who cannot be accepted would keep the main thread awake. */
static void pause_accepting(struct server *s)
{
	host_unwatch(&s->host, s->upgrade.listener);
	s->upgrade.resume = clock_now() + LISTENER_PAUSE;
}

/* Whether it may be tried. */
static bool is_accepting(struct server *s)
{
	struct upgrade *u = &s->upgrade;

	if (u->resume && clock_now() >= u->resume) {
		u->resume = 0;
		if (host_watch(&s->host, u->listener) < 0)
			pause_accepting(s);
	}
	return !u->resume;
}

static void accept_peer(struct server *s)
{
	struct upgrade *u = &s->upgrade;
	int fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && socket_is_shortage(errno))
		pause_accepting(s);
	if (fd < 0)
		return;
	if (u->state != UPGRADE_IDLE) {
		if (handover_say(fd, HANDOVER_REFUSED, 0,
			    "another one is taking over just now") < 0)
			log_debug("upgrade: one has come, and gone");
		close(fd);
		return;
	}
	u->peer = fd;
	if (!handover_is_ours(fd, &u->pid)) {
		set_state(u, UPGRADE_GREETED);
		refuse(s, "it is not of the user that this aditd runs as");
		return;
	}
	set_state(u, UPGRADE_GREETED);
	if (host_watch(&s->host, fd) < 0)
		give_up(s, "it cannot be waited for");
}

static void greet(struct server *s, const struct handover_message *m)
{
	struct upgrade *u = &s->upgrade;

	if (m->number != HANDOVER_VERSION) {
		refuse(s, "it speaks another version of the handover");
		return;
	}
	if (getpid() == 1) {
		refuse(s, "this aditd is the first process of its container, "
			  "which ends with it: start a container of the new "
			  "image instead");
		return;
	}
	if (s->chores.ending) {
		refuse(s, "this aditd is ending");
		return;
	}
	log_info("upgrade: aditd %.64s (pid %d) is going to take over",
		(const char *)m->bytes, u->pid);
	set_state(u, UPGRADE_ASKED);
}

/* Clients and visitors are not passed on before they have come. */
static void welcome(struct server *s)
{
	struct upgrade *u = &s->upgrade;
	int64_t ms = s->host.notify.watchdog / CLOCK_MS;

	if (arrival_holds(&s->arrival))
		return;
	set_state(u, UPGRADE_WELCOME);
	if (ms > UINT32_MAX)
		ms = UINT32_MAX;
	if (handover_say(
		    u->peer, HANDOVER_WELCOME, (uint32_t)ms, ADIT_VERSION) < 0)
		give_up(s, "it does not listen");
}

/* There may be more to say than the socket holds: it is being read. */
static int await_room(const struct upgrade *u)
{
	struct pollfd p = { .fd = u->peer, .events = POLLOUT };

	return poll(&p, 1, ROOM_PATIENCE) > 0 ? 0 : -ETIMEDOUT;
}

/* In pieces. */
static int send_listeners(struct server *s, const int *fds, size_t n, bool lent)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < n; at += HANDOVER_FDS) {
		size_t some = n - at < HANDOVER_FDS ? n - at : HANDOVER_FDS;

		rc = await_room(&s->upgrade);
		if (rc == 0)
			rc = handover_send(s->upgrade.peer, HANDOVER_LISTENERS,
				lent, fds + at, some, NULL, 0);
	}
	return rc;
}

/* Who comes back, in pieces. */
static int send_proxies(struct server *s)
{
	const struct yielding *y = &s->workers[0]->yielding;
	size_t at = 0, n;
	int rc = 0;

	while (rc == 0 && (n = awaited_piece(y->proxies + at,
				   y->proxies_size - at, HANDOVER_BYTES)) > 0) {
		rc = await_room(&s->upgrade);
		if (rc == 0)
			rc = handover_send(s->upgrade.peer, HANDOVER_PROXIES, 0,
				NULL, 0, y->proxies + at, n);
		at += n;
	}
	return rc;
}

/* Those that are lent, and those that are not, of a worker. */
static int send_worker(struct server *s, const struct yielding *y, size_t *sent)
{
	size_t n = 0, last = y->fd_count;
	int rc;

	for (size_t i = 0; i < last;) {
		int fd = y->fds[i];

		if (!inherited_is_lent(&s->inherited, fd)) {
			i++;
			continue;
		}
		y->fds[i] = y->fds[--last];
		y->fds[last] = fd;
	}
	rc = send_listeners(s, y->fds, last, false);
	n = y->fd_count - last;
	if (rc == 0)
		rc = send_listeners(s, y->fds + last, n, true);
	*sent += y->fd_count;
	return rc;
}

/* Nobody is accepted any more: all that is ours is told. */
static void offer(struct server *s)
{
	struct upgrade *u = &s->upgrade;
	size_t sent = 0;
	int rc = s->state_lock < 0 ? -ENOLCK : 0;

	set_state(u, UPGRADE_OFFERED);
	/* What the other one reads has to be in the file. */
	seen_file_look(&s->seen, true);
	if (rc == 0)
		rc = handover_send(
			u->peer, HANDOVER_LOCK, 0, &s->state_lock, 1, NULL, 0);
	for (uint32_t i = 0; rc == 0 && i < s->worker_count; i++)
		rc = send_worker(s, &s->workers[i]->yielding, &sent);
	if (rc == 0)
		rc = send_listeners(s, &s->web_fd, s->web_fd >= 0, false);
	if (rc == 0)
		rc = send_proxies(s);
	if (rc == 0)
		rc = console_complete(u->peer);
	if (rc < 0)
		give_up(s, strerror(-rc));
	else
		log_debug("upgrade: %zu sockets are offered", sent);
}

/* It is the server from now on. */
static void depart(struct server *s)
{
	struct upgrade *u = &s->upgrade;

	close(u->listener);
	u->listener = -1;
	host_unwatch(&s->host, u->peer);
	host_leave(&s->host);
	/* Visitors of the workers come behind it. */
	if (handover_say(u->peer, HANDOVER_YOURS, 0, "") < 0)
		log_warn("upgrade: pid %d has gone", u->pid);
	/* With the new one's end it is free, whatever is still served here. */
	close(s->state_lock);
	s->state_lock = -1;
	step(s, UPGRADE_LEAVING, YIELDING_LEFT);
	log_info("upgrade: pid %d has taken over", u->pid);
}

/* Nobody here needs the clients any more; and the drain may be over soon. */
static void see_off(struct server *s)
{
	step(s, UPGRADE_LEFT, YIELDING_ALONE);
	s->chores.drains = true;
}

static void hear(struct server *s)
{
	struct upgrade *u = &s->upgrade;
	struct handover_message m;
	int rc = handover_take(u->peer, &m);

	if (rc == -EAGAIN)
		return;
	if (rc <= 0) {
		give_up(s, rc < 0 ? strerror(-rc) : "it has ended");
		return;
	}
	handover_close_fds(&m);
	if (u->state == UPGRADE_GREETED && m.type == HANDOVER_HELLO)
		greet(s, &m);
	else if (u->state == UPGRADE_WELCOME && m.type == HANDOVER_PREPARED)
		step(s, UPGRADE_VISITORS, YIELDING_VISITORS);
	else if (u->state == UPGRADE_OFFERED && m.type == HANDOVER_TAKEN)
		depart(s);
	else
		refuse(s, "it said what has no place here");
}

static void look_at_workers(struct server *s)
{
	struct upgrade *u = &s->upgrade;

	if (!yielding_is_done(s, u->round))
		return;
	if (u->state == UPGRADE_VISITORS)
		step(s, UPGRADE_HOLDING, YIELDING_HOLDING);
	else if (u->state == UPGRADE_HOLDING)
		step(s, UPGRADE_LISTING, YIELDING_LISTED);
	else if (u->state == UPGRADE_LISTING)
		offer(s);
	else if (u->state == UPGRADE_LEAVING)
		see_off(s);
	else if (u->state == UPGRADE_RESUMING)
		set_state(u, UPGRADE_IDLE);
}

/* In how many ms; -1: never. */
static int next_look(const struct upgrade *u)
{
	int64_t now = clock_now(), next = INT64_MAX;

	if (u->listener >= 0 && u->resume)
		next = u->resume;
	if (u->state != UPGRADE_IDLE && u->state < UPGRADE_LEAVING &&
		u->until < next)
		next = u->until;
	if (next == INT64_MAX)
		return -1;
	return next < now ? LATER : (int)((next - now) / CLOCK_MS) + 1;
}

int upgrade_look(struct server *s)
{
	struct upgrade *u = &s->upgrade;

	if (u->state == UPGRADE_LEAVING)
		look_at_workers(s);
	if (u->listener < 0)
		return -1;
	/* Who comes next finds that the last one has gone. */
	if (u->peer >= 0)
		hear(s);
	if (u->listener >= 0 && u->state != UPGRADE_RESUMING && is_accepting(s))
		accept_peer(s);
	if (u->state == UPGRADE_ASKED)
		welcome(s);
	else
		look_at_workers(s);
	if (u->state == UPGRADE_IDLE || u->state >= UPGRADE_LEAVING)
		return next_look(u);
	if (clock_now() > u->until && u->peer >= 0) {
		give_up(s, "it took too long");
		return LATER;
	}
	return u->state == UPGRADE_ASKED ? LATER : next_look(u);
}

void upgrade_open(struct server *s, const char *directory)
{
	struct upgrade *u = &s->upgrade;
	char path[PATH_MAX + 16];
	int rc;

	snprintf(path, sizeof(path), "%s/" UPGRADE_SOCKET, directory);
	/* What is there was the other's. */
	rc = socket_listen_local(path, SOCK_SEQPACKET, 1);
	if (rc >= 0) {
		u->listener = rc;
		strcpy(u->path, path);
		rc = host_watch(&s->host, u->listener);
	}
	if (rc == 0)
		return;
	log_warn("%s cannot be made: %s; no upgrade", path, strerror(-rc));
	upgrade_close(u);
}

void upgrade_close(struct upgrade *u)
{
	if (u->listener >= 0) {
		unlink(u->path);
		close(u->listener);
	}
	if (u->peer >= 0)
		close(u->peer);
	upgrade_init(u);
}
