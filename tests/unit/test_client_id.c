/* SPDX-License-Identifier: Apache-2.0 */

/* The client id: kept, locked, and one for a life where neither can be. */
// links: client/client_id.c common/base/state_home.c common/base/state_file.c common/base/log.c common/base/log_line.c common/base/log_out.c common/base/utf8.c common/crypto/random.c
// libs: boringssl

#include "client/client_id.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/test_client_id.XXXXXX";
static char home[64], file[80];
static struct client_id id, other;

static void setup(void)
{
	cr_assert(mkdtemp(base));
	snprintf(home, sizeof(home), "%s/adit", base);
	snprintf(file, sizeof(file), "%s/client-id", home);
	unsetenv("STATE_DIRECTORY");
	setenv("XDG_STATE_HOME", base, 1);
}

static void done(void)
{
	client_id_close(&id);
	client_id_close(&other);
	unlink(file);
	rmdir(home);
	rmdir(base);
}

TestSuite(client_id, .init = setup, .fini = done);

static void expect_id(const struct client_id *one, bool kept)
{
	cr_assert_eq(strlen(one->text), CLIENT_ID_SIZE - 1);
	cr_assert_eq(strspn(one->text, "0123456789abcdef"), CLIENT_ID_SIZE - 1);
	cr_assert_eq(one->kept, kept);
}

Test(client_id, is_kept)
{
	char first[CLIENT_ID_SIZE];
	struct stat st;

	for (int i = 0; i < 3; i++) {
		client_id_open(&id);
		expect_id(&id, true);
		if (i == 0)
			memcpy(first, id.text, sizeof(first));
		cr_assert_str_eq(id.text, first);
		client_id_close(&id);
		client_id_close(&id);
	}
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(st.st_mode, S_IFREG | 0600);
	cr_assert_eq(stat(home, &st), 0);
	cr_assert_eq(st.st_mode, S_IFDIR | 0700);
}

Test(client_id, is_for_one_process)
{
	char kept[CLIENT_ID_SIZE];
	int status;
	pid_t child;

	client_id_open(&id);
	memcpy(kept, id.text, sizeof(kept));
	client_id_open(&other);
	expect_id(&other, false);
	cr_assert_str_neq(other.text, kept);
	client_id_close(&other);
	client_id_close(&id);
	/* Whoever is killed lets go of it. */
	child = fork();
	if (child == 0) {
		client_id_open(&id);
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	client_id_open(&id);
	expect_id(&id, true);
	cr_assert_str_eq(id.text, kept);
}

/* Write the file, which is no client id's. */
static void spoil(const char *text, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
	client_id_open(&id);
	expect_id(&id, false);
	cr_assert_null(strstr(text, id.text));
}

Test(client_id, is_no_other_text)
{
	cr_assert_eq(mkdir(home, 0700), 0);
	spoil("", 0600);
	spoil("0123456789abcdef0123456789abcdef", 0600);
	spoil("0123456789abcdef0123456789abcdeF\n", 0600);
	spoil("0123456789abcdef0123456789abcdef0\n", 0600);
	spoil("0123456789abcdef0123456789abcdef\n", 0640);
	cr_assert_eq(chmod(file, 0600), 0);
	client_id_open(&id);
	expect_id(&id, true);
	client_id_close(&id);
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(symlink("/dev/null", file), 0);
	client_id_open(&id);
	expect_id(&id, false);
}

Test(client_id, nothing_can_be_kept)
{
	cr_assert_eq(mkdir(home, 0755), 0);
	client_id_open(&id);
	expect_id(&id, false);
	client_id_open(&other);
	expect_id(&other, false);
	cr_assert_str_neq(id.text, other.text);
	cr_assert_eq(access(file, F_OK), -1);
	setenv("XDG_STATE_HOME", "/dev/null", 1);
	client_id_open(&id);
	expect_id(&id, false);
	if (geteuid() == 0)
		return;
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	client_id_open(&id);
	expect_id(&id, false);
}
