/* SPDX-License-Identifier: Apache-2.0 */

/*
 * aditd token: users made, listed and taken out, in the file that usersFile
 * names, or `users` in the state directory. A server that goes by that file
 * hears of it within a second.
 */

#ifndef ADIT_SERVER_COMMAND_TOKEN_COMMAND_H
#define ADIT_SERVER_COMMAND_TOKEN_COMMAND_H

#include "server/command/command.h"
#include "server/settings.h"

/*
 * Do what the words behind `token` say; the settings are those of -c, or the
 * defaults. The exit code of the program; what was wrong is on stderr.
 */
int token_command(const struct server_options *o, const struct settings *s,
	const struct command_words *words) must_check;

#endif
