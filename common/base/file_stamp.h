/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What tells that a file is another one than before, or was written to. All
 * zero: there is none. Stamps are compared as bytes.
 */

#ifndef ADIT_BASE_FILE_STAMP_H
#define ADIT_BASE_FILE_STAMP_H

#include <stdint.h>
#include <sys/stat.h>

struct file_stamp {
	uint64_t device, inode;
	int64_t size;
	int64_t written, changed; /* ns of the epoch */
};

struct file_stamp file_stamp_of(const struct stat *st);

/* Of the file with that name; "" has none. May block. */
struct file_stamp file_stamp(const char *path);

#endif
