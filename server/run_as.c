/* SPDX-License-Identifier: Apache-2.0 */

#include "server/run_as.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/base/state_home.h"
#include "common/host/privileges.h"
#include "server/state_dir.h"

static int refuse(const char *what, const char *why, int rc)
{
	fprintf(stderr, "aditd: runAs: %s: %s\n", what, why);
	return rc;
}

/* The new directory, which may have become another file by now. */
static int give(const char *path, const struct privileges_user *u)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fchown(fd, u->uid, u->gid) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* By the rules for who started it, who may make it; then it is settled. */
static int settle_state_dir(struct settings *s, const struct privileges_user *u)
{
	char path[PATH_MAX], why[128];
	struct stat st;
	int rc = state_dir_find(s->state_dir, path, sizeof(path));

	/* Without a home of the state aditd does without. */
	if (rc == -ENOENT)
		return 0;
	if (rc == 0 && lstat(path, &st) < 0) {
		rc = errno == ENOENT ? state_home_make(path) : -errno;
		if (rc == 0)
			rc = give(path, u);
	} else if (rc == 0 && st.st_uid != u->uid) {
		snprintf(why, sizeof(why),
			"it belongs to user %u; make it over with chown -R %u",
			(unsigned)st.st_uid, (unsigned)u->uid);
		return refuse(path, why, -EPERM);
	}
	if (rc < 0)
		return refuse(*path ? path : "stateDir", strerror(-rc), rc);
	s->state_dir = conf_copy(s->conf, path);
	return s->state_dir ? 0 : -ENOMEM;
}

int run_as(struct settings *s)
{
	struct privileges_user u;
	char why[128];
	int rc;

	if (!*s->run_as)
		return 0;
	rc = privileges_find(&u, s->run_as, why, sizeof(why));
	if (rc < 0)
		return refuse(s->run_as, why, rc);
	if (u.uid == geteuid() && geteuid() != 0)
		return 0;
	if (geteuid() != 0)
		return refuse(
			s->run_as, "only root may become another user", -EPERM);
	rc = settle_state_dir(s, &u);
	if (rc < 0)
		return rc;
	rc = privileges_become(&u);
	if (rc < 0)
		return refuse(s->run_as, strerror(-rc), rc);
	/* The kernel may have forgotten it with the user. */
	process_forbid_dumps();
	return 0;
}

void run_as_to_look(struct settings *s)
{
	struct privileges_user u;
	char path[PATH_MAX], why[128];
	const char *dir;

	if (!*s->run_as || geteuid() != 0 ||
		privileges_find(&u, s->run_as, why, sizeof(why)) < 0)
		return;
	if (state_dir_find(s->state_dir, path, sizeof(path)) == 0) {
		dir = conf_copy(s->conf, path);
		s->state_dir = dir ? dir : s->state_dir;
	}
	if (privileges_become(&u) == 0)
		process_forbid_dumps();
}
