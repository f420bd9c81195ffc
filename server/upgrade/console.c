/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "server/http/access_log.h"
#include "server/server.h"
#include "server/upgrade/handover.h"

int console_complete(int socket)
{
	const int fds[CONSOLE_FDS] = { STDOUT_FILENO, STDERR_FILENO };

	return handover_send(
		socket, HANDOVER_COMPLETE, 0, fds, CONSOLE_FDS, NULL, 0);
}

void console_keep(struct console *c, struct handover_message *m)
{
	if (m->fd_count != CONSOLE_FDS) {
		handover_close_fds(m);
		return;
	}
	memcpy(c->fds, m->fds, sizeof(c->fds));
	c->came = true;
}

static void put(int from, int to)
{
	if (dup2(from, to) < 0)
		log_warn("upgrade: descriptor %d stays the caller's: %s", to,
			strerror(errno));
}

/* What both logs have found out was about another console. */
static void look_anew(struct server *s)
{
	log_moved(!s->settings->log_disable_color);
	if (s->access_log && access_log_change(&s->access_log, s->settings,
				     s->worker_count) < 0)
		log_warn("accessLog.to cannot be opened again");
}

static bool writes_to_console(const struct settings *s)
{
	return !strcmp(s->log_to, "console") ||
	       !strcmp(s->access_log_to, "console");
}

void console_move(struct server *s)
{
	struct console *c = &s->successor.console;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	put(null, STDIN_FILENO);
	if (c->came || !writes_to_console(s->settings)) {
		put(c->came ? c->fds[0] : null, STDOUT_FILENO);
		put(c->came ? c->fds[1] : null, STDERR_FILENO);
	}
	if (null >= 0)
		close(null);
	console_close(c);
	look_anew(s);
}

void console_close(struct console *c)
{
	for (size_t i = 0; c->came && i < CONSOLE_FDS; i++)
		close(c->fds[i]);
	c->came = false;
}
