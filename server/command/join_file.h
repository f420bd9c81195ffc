/* SPDX-License-Identifier: Apache-2.0 */

/*
 * join.txt of the state directory: the join string of the user that a start
 * without a configuration has made, as one line. What is wrong goes to stderr.
 * For threads that may block.
 */

#ifndef ADIT_SERVER_COMMAND_JOIN_FILE_H
#define ADIT_SERVER_COMMAND_JOIN_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "common/conf/join.h"
#include "common/crypto/pin.h"

/* Where it is; false: no path is so long. */
bool join_file_find(
	char path[static PATH_MAX], const char *directory) must_check;

/*
 * What it says. False: it is there, but not as it should be. True with a name
 * in *j_r that is empty: it is not there.
 */
bool join_file_read(const char *path, struct join *j_r) must_check;

/* Have it say this join string, and write it only if it does not yet. */
bool join_file_keep(const char *path, const char *join) must_check;

/* The server is known by these pins now: it is to say so, if it is there. */
bool join_file_renew(
	const char *directory, const struct pin_list *pins) must_check;

#endif
