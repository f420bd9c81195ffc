/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rights that this system's linux/landlock.h may not know yet have their
 * numbers here: landlock(7) lists them by ABI, and they never change.
 */

#include "common/host/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RIGHT_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)     /* ABI 6 */

/* struct landlock_ruleset_attr as of ABI 6; what is 0 any kernel takes. */
struct attributes {
	uint64_t fs, net, scoped;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LOG                                                            \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
		RIGHT_TRUNCATE)
#define KEEP                                         \
	(READ | LOG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
		LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* All that are known to be refusable. */
static uint64_t handled(int abi)
{
	/* The 13 of the first ABI. */
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= RIGHT_REFER;
	if (abi >= 3)
		rights |= RIGHT_TRUNCATE;
	if (abi >= 5)
		rights |= RIGHT_IOCTL_DEV;
	return rights;
}

int landlock_open(struct landlock *l)
{
	struct attributes a = { 0 };

	l->fd = -1;
	l->abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	if (l->abi < 0)
		return -errno;
	a.fs = handled(l->abi);
	if (l->abi >= 6)
		a.scoped = SCOPE_SIGNAL;
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);
	return l->fd < 0 ? -errno : 0;
}

static uint64_t rights_of(enum landlock_access access, bool is_directory)
{
	static const uint64_t rights[] = {
		[LANDLOCK_READ] = READ,
		[LANDLOCK_KEEP] = KEEP,
		[LANDLOCK_LOG] = LOG,
	};
	uint64_t of_files = LANDLOCK_ACCESS_FS_READ_FILE |
			    LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE;

	return is_directory ? rights[access] : rights[access] & of_files;
}

static void add(
	struct landlock *l, const char *path, uint64_t rights, bool only_file)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	rule.allowed_access = rights & handled(l->abi);
	/* A failure leaves it refused. */
	if (fstat(rule.parent_fd, &st) == 0 &&
		(!only_file || !S_ISDIR(st.st_mode)))
		syscall(SYS_landlock_add_rule, l->fd,
			LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void landlock_allow(
	struct landlock *l, const char *path, enum landlock_access access)
{
	add(l, path, rights_of(access, is_directory(path)), false);
}

/* The directory that the path names a file in. */
static void allow_around(
	struct landlock *l, const char *path, enum landlock_access access)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (!slash)
		snprintf(directory, sizeof(directory), ".");
	else
		snprintf(directory, sizeof(directory), "%.*s",
			(int)(slash - path), path);
	if (*directory)
		landlock_allow(l, directory, access);
}

void landlock_allow_file(
	struct landlock *l, const char *path, enum landlock_access access)
{
	char real[PATH_MAX];

	if (!*path)
		return;
	allow_around(l, path, access);
	if (!realpath(path, real))
		return;
	allow_around(l, real, access);
	/* Itself; a FIFO is opened for both ways, that nobody waits for. */
	add(l, real, rights_of(LANDLOCK_READ, false) | rights_of(access, false),
		true);
}

int landlock_close(struct landlock *l)
{
	int rc = syscall(SYS_landlock_restrict_self, l->fd, 0) < 0 ? -errno : 0;

	close(l->fd);
	l->fd = -1;
	return rc;
}
