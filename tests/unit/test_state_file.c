/* SPDX-License-Identifier: Apache-2.0 */

/* Files of the state directory: refused, replaced whole, made once. */
// links: common/base/state_file.c

#include "common/base/state_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/test_state_file.XXXXXX";
static char file[64];

static int for_each_name(int (*call)(const char *path))
{
	DIR *d = opendir(directory);
	struct dirent *e;
	char path[512];
	int n = 0;

	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		if (*e->d_name != '.') {
			n++;
			call(path);
		}
	}
	closedir(d);
	return n;
}

static void setup(void)
{
	cr_assert(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/users", directory);
}

static void teardown(void)
{
	for_each_name(unlink);
	rmdir(directory);
}

TestSuite(state_file, .init = setup, .fini = teardown);

static int keep(const char *path)
{
	return path[0];
}

static void expect(const char *want)
{
	const char *why = "";
	struct stat st;
	size_t size;
	char *text;

	cr_assert_eq(state_file_check(file, &why), 0, "%s", why);
	cr_assert_eq(state_file_read(file, &text, &size, &why), 0, "%s", why);
	cr_assert_eq(size, strlen(want));
	cr_assert_str_eq(text, want);
	free(text);
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
}

static void expect_refused(int rc, const char *want)
{
	const char *why = "";
	size_t size;
	char *text;

	cr_assert_eq(state_file_read(file, &text, &size, &why), rc);
	cr_assert(strstr(why, want), "%s", why);
	why = "";
	cr_assert_eq(state_file_check(file, &why), rc);
	cr_assert(strstr(why, want), "%s", why);
}

Test(state_file, written_and_read)
{
	cr_assert_eq(state_file_write(file, "one", 3), 0);
	expect("one");
	cr_assert_eq(state_file_write(file, "another", 7), 0);
	expect("another");
	cr_assert_eq(state_file_write(file, "", 0), 0);
	expect("");
	cr_assert_eq(for_each_name(keep), 1, "something was left behind");
}

Test(state_file, made_once)
{
	cr_assert_eq(state_file_create(file, "first", 5), 0);
	cr_assert_eq(state_file_create(file, "second", 6), -EEXIST);
	expect("first");
	cr_assert_eq(for_each_name(keep), 1, "something was left behind");
}

Test(state_file, refused)
{
	expect_refused(-ENOENT, "No such file");
	cr_assert_eq(state_file_write(file, "x", 1), 0);
	for (mode_t bit = 1; bit < 0200; bit <<= 1) {
		chmod(file, 0600 | bit);
		expect_refused(-EPERM, "chmod 600");
	}
	chmod(file, 0600);
	cr_assert_eq(truncate(file, (off_t)STATE_FILE_MAX + 1), 0);
	expect_refused(-EFBIG, "too large");
	unlink(file);
	cr_assert_eq(symlink("/etc/passwd", file), 0);
	expect_refused(-EPERM, "symbolic link");
	unlink(file);
	cr_assert_eq(mkfifo(file, 0600), 0);
	expect_refused(-EPERM, "no ordinary file");
}

/* What a link would lead to is not written; the link is replaced. */
Test(state_file, links_are_replaced)
{
	char other[64];
	struct stat st;

	snprintf(other, sizeof(other), "%s/other", directory);
	cr_assert_eq(symlink(other, file), 0);
	cr_assert_eq(state_file_create(file, "x", 1), -EEXIST);
	cr_assert_eq(state_file_write(file, "x", 1), 0);
	cr_assert_eq(lstat(file, &st), 0);
	cr_assert(S_ISREG(st.st_mode));
	cr_assert_neq(access(other, F_OK), 0);
}

Test(state_file, another_owner)
{
	cr_assert_eq(state_file_write(file, "x", 1), 0);
	/* Not even root, who may be root of a namespace without others. */
	if (chown(file, 12345, 12345) < 0)
		cr_skip_test("only root can give a file away");
	expect_refused(-EPERM, "another user");
}

Test(state_file, directories)
{
	const char *why = "";

	cr_assert_eq(state_directory_check(directory, &why), 0);
	cr_assert_eq(state_directory_check(file, &why), -ENOENT);
	chmod(directory, 0750);
	cr_assert_eq(state_directory_check(directory, &why), -EPERM);
	cr_assert(strstr(why, "chmod 700"));
	chmod(directory, 0700);
	cr_assert_eq(state_file_write(file, "x", 1), 0);
	cr_assert_eq(state_directory_check(file, &why), -EPERM);
	unlink(file);
	cr_assert_eq(symlink(directory, file), 0);
	cr_assert_eq(state_directory_check(file, &why), -EPERM);
}

/* A writer that is killed leaves the old file or the new one, whole. */
Test(state_file, killed_while_writing)
{
	static char big[2][200000];
	size_t size = 0;

	memset(big[0], 'a', sizeof(big[0]));
	memset(big[1], 'b', sizeof(big[1]));
	cr_assert_eq(state_file_write(file, big[0], sizeof(big[0])), 0);
	for (int round = 0; round < 20; round++) {
		const char *why = "";
		char *text;
		pid_t child = fork();

		if (child == 0)
			for (int i = 0;; i ^= 1)
				if (state_file_write(
					    file, big[i], sizeof(big[i])) < 0)
					_exit(1);
		usleep(1000 + 700 * (useconds_t)round);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		cr_assert_eq(state_file_read(file, &text, &size, &why), 0);
		cr_assert_eq(size, sizeof(big[0]));
		cr_assert_eq(memcmp(text, big[text[0] - 'a'], size), 0);
		free(text);
	}
}
