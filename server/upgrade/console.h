/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Standard output and error of an aditd that has taken over are those of the
 * one before, so that a log to the console stays where it was; those of
 * `aditd upgrade` are let go of, as whoever reads them waits for their end.
 */

#ifndef ADIT_SERVER_UPGRADE_CONSOLE_H
#define ADIT_SERVER_UPGRADE_CONSOLE_H

#include <stdbool.h>

#include "common/base/compiler.h"

struct handover_message;
struct server;

#define CONSOLE_FDS 2

/* Zeroed: none came. */
struct console {
	int fds[CONSOLE_FDS]; /* for the descriptors 1 and 2 */
	bool came;
};

/* The old one: all is told, and these go along. 0 or -errno. */
int console_complete(int socket) must_check;

/* Take those that came with it; an older aditd sends none. */
void console_keep(struct console *c, struct handover_message *m);

/*
 * The new one is the server, and has no other threads yet: the lines that come
 * now go to those, or, if none came, where they went, if they are to go to the
 * console. Nothing else of the caller is held.
 */
void console_move(struct server *s);

/* It never was the server. */
void console_close(struct console *c);

#endif
