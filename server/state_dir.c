/* SPDX-License-Identifier: Apache-2.0 */

#include "server/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/state_file.h"
#include "common/base/state_home.h"

int state_dir_find(const char *given, char *path, size_t size)
{
	if (!*given)
		return state_home_find("aditd", path, size);
	return snprintf(path, size, "%s", given) < (int)size ? 0
							     : -ENAMETOOLONG;
}

void state_dir_sign(int lock)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(lock, 0) < 0 || pwrite(lock, text, (size_t)n, 0) < 0)
		log_warn("stateDir: the lock cannot be written: %s",
			strerror(errno));
}

/* Take the lock and write our process id for whoever comes second. */
static int take_lock(const char *file, int *fd_r, char owner[static 32])
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		n = read(fd, owner, 31);
		owner[n > 0 ? n : 0] = '\0';
		owner[strcspn(owner, "\n")] = '\0';
		close(fd);
		return -EBUSY;
	}
	state_dir_sign(fd);
	*fd_r = fd;
	return 0;
}

int state_dir_make(const char *given, char *path, size_t size)
{
	int rc = state_dir_find(given, path, size);

	return rc < 0 ? rc : state_home_make(path);
}

void state_dir_explain(
	char out[static STATE_DIR_ERROR_SIZE], const char *path, int rc)
{
	if (*path)
		snprintf(out, STATE_DIR_ERROR_SIZE, "%s: %s", path,
			strerror(-rc));
	else
		snprintf(out, STATE_DIR_ERROR_SIZE,
			"neither HOME nor stateDir is set to a path");
}

int state_dir_lock(const char *given, char path[static PATH_MAX], int *fd_r)
{
	char file[PATH_MAX + 8], owner[32] = "";
	const char *why;
	int rc;
	enum log_level level = *given ? LOG_ERROR : LOG_WARN;

	*fd_r = -1;
	*path = '\0';
	rc = state_dir_make(given, path, PATH_MAX);
	if (rc == 0 && state_directory_check(path, &why) < 0) {
		/* Whoever may enter it may know the secrets in it. */
		log_error("stateDir: %s: %s", path, why);
		return -EPERM;
	}
	if (rc == 0) {
		snprintf(file, sizeof(file), "%s/lock", path);
		rc = take_lock(file, fd_r, owner);
	}
	if (rc == -EBUSY)
		log_write(level, NULL,
			"stateDir: %s is locked by another aditd (pid %s): "
			"stop it, or give this one a stateDir of its own",
			path, *owner ? owner : "unknown");
	else if (rc < 0)
		log_write(level, NULL,
			"stateDir: %s: %s; set stateDir to a directory that "
			"this user may write to",
			*path ? path : "no home directory is known",
			strerror(-rc));
	return *given ? rc : 0;
}
