/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A whole file, or a pipe, into memory.
 */

#ifndef ADIT_CONF_FILE_H
#define ADIT_CONF_FILE_H

#include <sys/types.h>

#include "common/base/compiler.h"

/*
 * Read `file` up to its end or `room` bytes, whichever comes first. Returns
 * the number of bytes, or -errno. May block: for the main thread.
 */
ssize_t conf_file_read(const char *file, char *bytes, size_t room) must_check;

#endif
