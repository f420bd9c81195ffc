/* SPDX-License-Identifier: Apache-2.0 */

/*
 * aditd identity: by what the server is known, and how that changes without
 * anybody being left behind. A server that runs hears of it within a second,
 * and the join string in join.txt goes along.
 */

#ifndef ADIT_SERVER_COMMAND_IDENTITY_COMMAND_H
#define ADIT_SERVER_COMMAND_IDENTITY_COMMAND_H

#include "common/conf/command.h"
#include "server/settings.h"

/*
 * Do what the words behind `identity` say; the settings are those of -c, or the
 * defaults. The exit code of the program; what was wrong is on stderr.
 */
int identity_command(
	const struct settings *s, const struct command_words *words) must_check;

#endif
