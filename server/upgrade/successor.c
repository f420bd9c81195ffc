/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/successor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/version.h"
#include "server/state_dir.h"
#include "server/upgrade/adoption.h"
#include "server/upgrade/handover.h"
#include "server/upgrade/upgrade.h"
#include "server/worker.h"

/* Visitors taken in one go, of many. */
#define VISITORS_AT_ONCE 64

static int fail(const char *what, int rc)
{
	log_error("upgrade: %s: %s", what,
		rc == 0 ? "the aditd that runs has ended" : strerror(-rc));
	return rc < 0 ? rc : -ECONNRESET;
}

/* The next message, of this type; others mean that it does not go on. */
static int expect(struct successor *n, enum handover_type type,
	struct handover_message *m)
{
	int rc = handover_await(n->socket, m);

	if (rc <= 0)
		return fail("no answer", rc);
	if (m->type == type)
		return 0;
	handover_close_fds(m);
	if (m->type != HANDOVER_REFUSED)
		return fail("an answer of another kind", -EPROTO);
	log_error("upgrade: refused: %s", (const char *)m->bytes);
	return -EPERM;
}

int successor_begin(struct successor *n, const char *directory)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct handover_message m;
	int rc, pid;

	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/" UPGRADE_SOCKET,
		    directory) >= (int)sizeof(a.sun_path))
		return fail(directory, -ENAMETOOLONG);
	n->socket = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->socket < 0 ||
		connect(n->socket, (struct sockaddr *)&a, sizeof(a)) < 0) {
		rc = -errno;
		log_error("upgrade: no aditd is reached at %s: %s", a.sun_path,
			strerror(-rc));
		return rc;
	}
	if (!handover_is_ours(n->socket, &pid))
		return fail("the aditd that runs is another user's", -EPERM);
	rc = handover_say(
		n->socket, HANDOVER_HELLO, HANDOVER_VERSION, ADIT_VERSION);
	if (rc < 0)
		return fail("it cannot be asked", rc);
	rc = expect(n, HANDOVER_WELCOME, &m);
	if (rc < 0)
		return rc;
	n->watchdog = m.number;
	log_info("upgrade: taking over from aditd %.64s (pid %d)",
		(const char *)m.bytes, pid);
	return 0;
}

static int take_listeners(struct inherited *sockets, struct handover_message *m)
{
	int rc = 0;

	for (; rc == 0 && m->fd_count > 0; m->fd_count--)
		rc = inherited_add(sockets, m->fds[m->fd_count - 1], m->number);
	handover_close_fds(m);
	return rc;
}

/* Sockets, or names of proxies. */
static int take_piece(struct server *s, struct handover_message *m)
{
	int rc = -EPROTO;

	if (m->type == HANDOVER_LISTENERS)
		return take_listeners(&s->inherited, m);
	if (m->type == HANDOVER_PROXIES)
		rc = awaited_read(&s->arrival.awaited, m->bytes, m->size);
	handover_close_fds(m);
	return rc;
}

int successor_receive(struct server *s)
{
	struct successor *n = &s->successor;
	struct handover_message m;
	int rc = handover_say(n->socket, HANDOVER_PREPARED, 0, "");

	if (rc < 0)
		return fail("it has gone", rc);
	rc = expect(n, HANDOVER_LOCK, &m);
	if (rc == 0 && m.fd_count != 1) {
		handover_close_fds(&m);
		rc = fail("the lock did not come", -EPROTO);
	}
	if (rc == 0)
		s->state_lock = m.fds[0];
	while (rc == 0) {
		rc = handover_await(n->socket, &m);
		if (rc <= 0)
			return fail("no sockets", rc);
		if (m.type == HANDOVER_COMPLETE)
			break;
		rc = take_piece(s, &m);
		if (rc < 0)
			return fail("a piece of it", rc);
	}
	if (rc < 0)
		return rc;
	console_keep(&n->console, &m);
	return 0;
}

int successor_commit(struct server *s)
{
	struct successor *n = &s->successor;
	struct handover_message m;
	int rc = handover_say(n->socket, HANDOVER_TAKEN, 0, "");

	if (rc < 0)
		return fail("it has gone", rc);
	rc = expect(n, HANDOVER_YOURS, &m);
	n->counted = rc == 0 && quota_take(&s->visitors);
	return rc;
}

void successor_look(struct server *s)
{
	struct successor *n = &s->successor;
	struct handover_message m;
	int rc = 1;

	/* Until those whom they want to see are back, they wait. */
	if (n->socket < 0 || arrival_holds(&s->arrival))
		return;
	if (!n->watched && host_watch(&s->host, n->socket) < 0) {
		successor_end(s);
		return;
	}
	n->watched = true;
	for (int i = 0; rc > 0 && i < VISITORS_AT_ONCE; i++) {
		rc = handover_take(n->socket, &m);
		if (rc <= 0)
			break;
		if (m.type == HANDOVER_VISITOR)
			adoption_send(s, &m);
		else
			handover_close_fds(&m);
	}
	/* The old one has done. */
	if (rc <= 0 && rc != -EAGAIN)
		successor_end(s);
}

static void deliver_end(struct mailbox *m, struct letter *letter)
{
	(void)letter;
	worker_visitor_gone(worker_of_mailbox(m));
}

void successor_end(struct server *s)
{
	struct successor *n = &s->successor;

	if (n->socket < 0)
		return;
	close(n->socket);
	n->socket = -1;
	console_close(&n->console);
	if (!n->counted)
		return;
	quota_give(&s->visitors);
	mailbox_post(&s->workers[0]->core.mailbox,
		letter_new(sizeof(struct letter)), deliver_end);
}
