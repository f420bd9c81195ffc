/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files that only their owner may read, in a directory that only its owner may
 * enter. What is wrong with owner, mode or kind is refused, never mended: who
 * could read such a file may know the secret in it. A file is written beside
 * its place and moved there, so that whatever happens the old one or the new
 * one is there, whole. For threads that may block.
 */

#ifndef ADIT_BASE_STATE_FILE_H
#define ADIT_BASE_STATE_FILE_H

#include <stddef.h>

#include "common/base/compiler.h"

/* What a file may have. */
#define STATE_FILE_MAX ((size_t)1024 * 1024)

/*
 * Whether the directory is one, ours, and open to nobody else (0700). 0, or
 * -errno, -EPERM for what is refused; why, as a text, in *why_r.
 */
int state_directory_check(const char *path, const char **why_r) must_check;

/*
 * Read all of a file into memory from malloc, a NUL behind it. 0, or -errno
 * with the reason in *why_r: -EPERM for a symbolic link, another owner, or a
 * mode that gives more than 0600 does; -EFBIG above STATE_FILE_MAX.
 */
int state_file_read(const char *path, char **text_r, size_t *size_r,
	const char **why_r) must_check;

/* Whether state_file_read would read it, without doing so; as it says. */
int state_file_check(const char *path, const char **why_r) must_check;

/* Put a file of these bytes, mode 0600, in place of what is there. 0, -errno */
int state_file_write(
	const char *path, const void *bytes, size_t size) must_check;

/* Move a file of the same directory in place of what is there. 0, -errno */
int state_file_move(const char *from, const char *to) must_check;

/* As state_file_write, but -EEXIST if there is anything: the first made it. */
int state_file_create(
	const char *path, const void *bytes, size_t size) must_check;

#endif
