/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit join: a join string is read, checked and kept, so that later commands
 * need none; and which one a command goes by.
 */

#ifndef ADIT_CLIENT_JOIN_COMMAND_H
#define ADIT_CLIENT_JOIN_COMMAND_H

#include "client/joined.h"

/* What the command line says; NULL: nothing. */
struct join_choice {
	const char *text;      /* --join; "-" is standard input */
	const char *file;      /* --join-file */
	const char *elsewhere; /* the option that is given in its place */
	bool server;           /* --server is given */
};

/* Without a join string and --server. */
#define JOIN_NO_SERVER "127.0.0.1:7000"

/*
 * The join string that a command goes by, and the file that it is kept in (""
 * if nowhere): that of the command line, which is kept for later ones; else of
 * ADIT_JOIN_FILE; else the kept one, unless there is ADIT_TOKEN. 1; or 0:
 * there is none; or -EINVAL with a sentence in `text`. Otherwise that has what
 * the user is to know ("": nothing): one that is there is not used, or nothing
 * names a server.
 */
int join_choose(struct join *j, char path[static PATH_MAX],
	const struct join_choice *choice,
	char text[static JOINED_ERROR_SIZE]) must_check;

/*
 * Read, check and keep the text; "-": standard input; "": the same, asked for
 * without an echo if it is a terminal. What came of it is printed. 0; -EINVAL:
 * it was refused; or another -errno: it cannot be kept.
 */
int join_command(const char *text) must_check;

#endif
