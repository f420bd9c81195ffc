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
#include "common/relay/raw_stream.h"
#include "server/upgrade/arrival.h"
#include "server/upgrade/handover.h"
#include "server/http/http_visitor.h"
#include "server/state_dir.h"
#include "server/upgrade/upgrade.h"
#include "server/worker.h"

/* Visitors taken in one go, of many. */
#define VISITORS_AT_ONCE 64

struct visitor_letter {
	struct letter letter;
	int fd;              /* owned; -1: taken */
	struct chunk *bytes; /* owned; NULL: none */
};

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

int successor_receive(
	struct successor *n, struct inherited *sockets, int *lock_r)
{
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
		*lock_r = m.fds[0];
	while (rc == 0) {
		rc = handover_await(n->socket, &m);
		if (rc <= 0)
			return fail("no sockets", rc);
		rc = 0;
		if (m.type != HANDOVER_LISTENERS)
			break;
		rc = take_listeners(sockets, &m);
		if (rc < 0)
			return fail("a socket of it", rc);
	}
	if (rc < 0)
		return rc;
	handover_close_fds(&m);
	n->awaited = m.number;
	return m.type == HANDOVER_COMPLETE
		       ? 0
		       : fail("sockets of another kind", -EPROTO);
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

/* --- visitors --- */

static void discard_visitor(struct letter *letter)
{
	struct visitor_letter *l = (struct visitor_letter *)letter;

	if (l->fd >= 0)
		close(l->fd);
	chunk_give(l->bytes);
}

static void deliver_visitor(struct mailbox *m, struct letter *letter)
{
	struct visitor_letter *l = (struct visitor_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct address peer;
	struct stream *s;

	address_of_peer(&peer, l->fd);
	s = raw_stream_open(w->pools.streams, worker_loop(w), l->fd);
	if (!s) {
		chunk_give(l->bytes);
		return;
	}
	if (l->bytes)
		stream_unread(s, l->bytes);
	count(&w->core.counters, visitors_adopted);
	http_visitor_adopt(w, s, &peer);
}

/* In turn, as the kernel would have. */
static void send_in(struct server *s, const struct handover_message *m)
{
	static uint32_t turn;
	struct visitor_letter *l = letter_new(sizeof(*l));

	l->letter.discard = discard_visitor;
	l->fd = m->fds[0];
	if (m->size > 0)
		l->bytes = chunk_copy(m->bytes, (uint32_t)m->size);
	if (m->size > 0 && !l->bytes) {
		close(l->fd);
		free(l);
		return;
	}
	mailbox_post(&s->workers[turn++ % s->worker_count]->core.mailbox,
		&l->letter, deliver_visitor);
}

void successor_look(struct server *s)
{
	struct successor *n = &s->successor;
	struct handover_message m;
	int rc = 1;

	/* Until those whom they want to see are back, they wait. */
	if (n->socket < 0 || !arrival_is_over(&s->arrival))
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
		if (m.type == HANDOVER_VISITOR && m.fd_count == 1)
			send_in(s, &m);
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
	if (!n->counted)
		return;
	quota_give(&s->visitors);
	mailbox_post(&s->workers[0]->core.mailbox,
		letter_new(sizeof(struct letter)), deliver_end);
}
