/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/file_stamp.h"

#include "common/base/clock.h"

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * CLOCK_SECOND + t->tv_nsec;
}

struct file_stamp file_stamp_of(const struct stat *st)
{
	return (struct file_stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = st->st_size,
		.written = ns_of(&st->st_mtim),
		.changed = ns_of(&st->st_ctim),
	};
}

struct file_stamp file_stamp(const char *path)
{
	struct stat st;

	if (!*path || stat(path, &st) < 0)
		return (struct file_stamp){ 0 };
	return file_stamp_of(&st);
}
