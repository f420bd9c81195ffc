/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The directory of what outlives the process, and the lock that keeps a
 * second server out of it.
 */

#ifndef ADIT_SERVER_STATE_DIR_H
#define ADIT_SERVER_STATE_DIR_H

#include <limits.h>
#include <stddef.h>

#include "common/base/compiler.h"

/* Where it is: `given`, or when that is empty as state_home_find says. */
int state_dir_find(const char *given, char *path, size_t size) must_check;

/* The same, and it is there then, for its owner alone; 0 or -errno. */
int state_dir_make(const char *given, char *path, size_t size) must_check;

#define STATE_DIR_ERROR_SIZE (PATH_MAX + 128)

/* What is wrong, for people: the -errno of one of them, which has left in the
 * path, "" before, how far it came. */
void state_dir_explain(
	char out[static STATE_DIR_ERROR_SIZE], const char *path, int rc);

/* Where aditd health finds the aditd that has it. */
#define STATE_DIR_SOCKET "admin.sock"

/*
 * Make the directory, for its owner alone, and lock it for as long as the
 * descriptor in *fd_r is open; `path` is where it is. 0, or -errno after an
 * error in the log. Where it was not `given`, a failure is a warning only,
 * with -1 in *fd_r: what would be kept in it lasts as long as the process; but
 * one that others may enter, or own, is -EPERM always.
 */
int state_dir_lock(
	const char *given, char path[static PATH_MAX], int *fd_r) must_check;

/* The lock, which another process has passed to us, names this one. */
void state_dir_sign(int lock);

#endif
