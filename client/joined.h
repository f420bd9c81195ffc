/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The join string that adit goes by, and the file that it is kept in, which
 * only its owner may read (common/base/state_file.h). For threads that may
 * block.
 */

#ifndef ADIT_CLIENT_JOINED_H
#define ADIT_CLIENT_JOINED_H

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include "common/conf/join.h"

struct settings;

/* An error and its NUL; a join string on its way, with what is around it. */
#define JOINED_ERROR_SIZE 256
#define JOINED_INPUT_SIZE (JOIN_TEXT_SIZE + 64)

/*
 * Where it is kept: $XDG_CONFIG_HOME/adit/join, or ~/.config/adit/join. 0, or
 * -ENOENT when nothing tells a home, or -ENAMETOOLONG.
 */
int joined_path(char path[static PATH_MAX]) must_check;

/*
 * Read a text, blanks around it aside, and check all that can be checked
 * without the server. 0, or -EINVAL with a sentence without secrets.
 */
int joined_parse(struct join *j, const char *text,
	char error[static JOINED_ERROR_SIZE]) must_check;

/*
 * The same of a stream's first line; and of a kept file, for which the result
 * is -ENOENT if there is none, or another -errno, with the sentence.
 */
int joined_read_line(struct join *j, FILE *in,
	char error[static JOINED_ERROR_SIZE]) must_check;
int joined_read(struct join *j, const char *path,
	char error[static JOINED_ERROR_SIZE]) must_check;

/* Keep it there; a directory that is missing is made. 0 or -errno. */
int joined_keep(const struct join *j, const char *path) must_check;

/* The server has told its pins: keep them in what is kept. 0 or -errno. */
int joined_renew(
	const char *path, const char *const *pins, size_t n) must_check;

/* User, token, servers and pins become the settings'; 0 or -ENOMEM. */
int joined_apply(struct settings *s, const struct join *j) must_check;

#endif
