/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where a program keeps what outlives it, in files of state_file.h. For
 * threads that may block.
 */

#ifndef ADIT_BASE_STATE_HOME_H
#define ADIT_BASE_STATE_HOME_H

#include <stddef.h>

#include "common/base/compiler.h"

/* The value of a variable of the environment that is an absolute path; or NULL:
 * others are ignored, as the XDG base directory specification has it. */
const char *state_home_variable(const char *name);

/*
 * The directory of the program of this name: $STATE_DIRECTORY (systemd's; a
 * link is followed), $XDG_STATE_HOME/NAME, /var/lib/NAME for root,
 * ~/.local/state/NAME for others. 0, or -ENAMETOOLONG, or -ENOENT when nothing
 * tells a home.
 */
int state_home_find(const char *program, char *path, size_t size) must_check;

/* Make a directory, as mkdir -p, for its owner alone; 0 or -errno. */
int state_home_make(const char *path) must_check;

#endif
