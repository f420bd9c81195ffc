/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order of writing: temporary file, fsync(2), rename(2) or link(2), then
 * fsync(2) of the directory, which makes the new name durable.
 */

#include "common/base/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".XXXXXX"

static int refuse(const char **why_r, int rc, const char *why)
{
	*why_r = why;
	return rc;
}

static int system_error(const char **why_r, int rc)
{
	return refuse(why_r, rc, strerrordesc_np(-rc));
}

int state_directory_check(const char *path, const char **why_r)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return system_error(why_r, -errno);
	if (!S_ISDIR(st.st_mode))
		return refuse(why_r, -EPERM, "it is no directory");
	if (st.st_uid != geteuid())
		return refuse(why_r, -EPERM, "it belongs to another user");
	if (st.st_mode & 077)
		return refuse(why_r, -EPERM,
			"others may enter it; chmod 700 is needed");
	return 0;
}

/* Of the file that is open. */
static int check_file(int fd, struct stat *st, const char **why_r)
{
	if (fstat(fd, st) < 0)
		return system_error(why_r, -errno);
	if (!S_ISREG(st->st_mode))
		return refuse(why_r, -EPERM, "it is no ordinary file");
	if (st->st_uid != geteuid())
		return refuse(why_r, -EPERM, "it belongs to another user");
	if (st->st_mode & 0177)
		return refuse(why_r, -EPERM,
			"others may read or write it; chmod 600 is needed, "
			"and a new secret");
	if (st->st_size > (off_t)STATE_FILE_MAX)
		return refuse(why_r, -EFBIG, "it is too large");
	return 0;
}

/* All of it; `room` bytes and a NUL. */
static int read_all(int fd, char *text, size_t room, size_t *size_r)
{
	size_t size = 0;
	ssize_t n;

	do {
		n = read(fd, text + size, room - size);
		if (n < 0 && errno != EINTR)
			return -errno;
		size += n > 0 ? (size_t)n : 0;
	} while (n != 0 && size < room);
	text[size] = '\0';
	*size_r = size;
	return 0;
}

/* The descriptor of one that may be read, or -errno. */
static int open_checked(const char *path, struct stat *st, const char **why_r)
{
	/* Not to wait for whoever would write into a pipe. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0 && errno == ELOOP)
		return refuse(why_r, -EPERM, "it is a symbolic link");
	if (fd < 0)
		return system_error(why_r, -errno);
	rc = check_file(fd, st, why_r);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int state_file_check(const char *path, const char **why_r)
{
	struct stat st;
	int fd = open_checked(path, &st, why_r);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int state_file_read(
	const char *path, char **text_r, size_t *size_r, const char **why_r)
{
	struct stat st;
	int fd = open_checked(path, &st, why_r), rc;
	char *text;

	if (fd < 0)
		return fd;
	text = calloc(1, (size_t)st.st_size + 1);
	rc = text ? read_all(fd, text, (size_t)st.st_size, size_r) : -ENOMEM;
	close(fd);
	if (rc < 0) {
		if (text)
			explicit_bzero(text, (size_t)st.st_size);
		free(text);
		return system_error(why_r, rc);
	}
	*text_r = text;
	return 0;
}

static int sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) : 0, fd, rc;

	snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : n,
		slash ? path : "");
	fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* A whole, durable file of these bytes beside its place. */
static int write_beside(const char *path, char temporary[static PATH_MAX],
	const void *bytes, size_t size)
{
	int fd, rc;

	if (snprintf(temporary, PATH_MAX, "%s" TEMPORARY, path) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC); /* of mode 0600 */
	if (fd < 0)
		return -errno;
	rc = write_all(fd, bytes, size);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		unlink(temporary);
	return rc;
}

int state_file_move(const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : sync_directory_of(to);
}

int state_file_write(const char *path, const void *bytes, size_t size)
{
	char temporary[PATH_MAX];
	int rc = write_beside(path, temporary, bytes, size);

	if (rc < 0)
		return rc;
	rc = state_file_move(temporary, path);
	if (rc < 0)
		unlink(temporary);
	return rc;
}

int state_file_create(const char *path, const void *bytes, size_t size)
{
	char temporary[PATH_MAX];
	int rc = write_beside(path, temporary, bytes, size);

	if (rc < 0)
		return rc;
	/* Unlike rename(2), link(2) does not replace. */
	rc = link(temporary, path) < 0 ? -errno : 0;
	unlink(temporary);
	return rc < 0 ? rc : sync_directory_of(path);
}
