/* SPDX-License-Identifier: Apache-2.0 */

/* Where a program keeps its state, by the environment. */
// links: common/base/state_home.c

#include "common/base/state_home.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[PATH_MAX];

static void setup(void)
{
	unsetenv("STATE_DIRECTORY");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/x", 1);
}

TestSuite(state_home, .init = setup);

static const char *found(void)
{
	cr_assert_eq(state_home_find("adit", path, sizeof(path)), 0);
	return path;
}

Test(state_home, by_the_first_that_is_said)
{
	bool root = geteuid() == 0;

	cr_assert_str_eq(
		found(), root ? "/var/lib/adit" : "/home/x/.local/state/adit");
	setenv("XDG_STATE_HOME", "relative", 1);
	cr_assert_str_eq(
		found(), root ? "/var/lib/adit" : "/home/x/.local/state/adit");
	setenv("XDG_STATE_HOME", "/x", 1);
	cr_assert_str_eq(found(), "/x/adit");
	setenv("STATE_DIRECTORY", "/var/lib/of-systemd", 1);
	cr_assert_str_eq(found(), "/var/lib/of-systemd");
}

/* What systemd makes for a dynamic user. */
Test(state_home, a_link_of_systemd)
{
	char dir[] = "/tmp/adit-home-XXXXXX", link[64], to[64], real[PATH_MAX];

	cr_assert(mkdtemp(dir));
	snprintf(to, sizeof(to), "%s/private", dir);
	snprintf(link, sizeof(link), "%s/adit", dir);
	cr_assert_eq(mkdir(to, 0700), 0);
	cr_assert_eq(symlink("private", link), 0);
	setenv("STATE_DIRECTORY", link, 1);
	cr_assert(realpath(to, real));
	cr_assert_str_eq(found(), real);
	unlink(link);
	rmdir(to);
	rmdir(dir);
}

Test(state_home, nothing_tells)
{
	unsetenv("HOME");
	if (geteuid() != 0)
		cr_assert_eq(
			state_home_find("adit", path, sizeof(path)), -ENOENT);
	setenv("XDG_STATE_HOME", "/x", 1);
	cr_assert_eq(state_home_find("adit", path, 7), -ENAMETOOLONG);
	cr_assert_eq(state_home_find("adit", path, 8), 0);
	setenv("STATE_DIRECTORY", "/x", 1);
	cr_assert_eq(state_home_find("adit", path, 2), -ENAMETOOLONG);
}

Test(state_home, is_made_for_its_owner)
{
	char base[] = "/tmp/test_state_home.XXXXXX";
	struct stat st;

	cr_assert(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/a/b", base);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(state_home_make(path), 0);
		cr_assert_eq(stat(path, &st), 0);
		cr_assert_eq(st.st_mode, S_IFDIR | 0700);
	}
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(base);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	cr_assert_lt(state_home_make(path), 0);
}
