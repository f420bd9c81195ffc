/* SPDX-License-Identifier: Apache-2.0 */

/* Which files a process may open: those that it told of, each in its way. */
// links: common/host/landlock.c

#include "common/host/landlock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/forked.h"

static char top[] = "/tmp/test_landlock.XXXXXX";
static int wrong;

static const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void make(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void setup(void)
{
	cr_assert(mkdtemp(top));
	for (const char *const *d = (const char *const[]){ "conf", "keys",
		     "state", "log", "other", NULL };
		*d; d++)
		cr_assert_eq(mkdir(in(*d), 0700), 0);
	make("conf/aditd.yaml");
	make("keys/real.pem");
	make("state/lock");
	make("log/aditd.log");
	make("other/secret");
	cr_assert_eq(symlink(in("keys/real.pem"), in("conf/key.pem")), 0);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", top);
	cr_assert_eq(system(command), 0);
}

TestSuite(landlock, .init = setup, .fini = teardown);

static void expect(bool allowed, long rc, const char *what)
{
	bool right = allowed ? rc >= 0 : rc < 0 && errno == EACCES;

	if (!right) {
		fprintf(stderr, "%s: %s\n", what,
			rc < 0 ? strerror(errno) : "allowed");
		wrong++;
	}
	if (rc > 2)
		close((int)rc);
}

#define ALLOWED(call) expect(true, call, #call)
#define REFUSED(call) expect(false, call, #call)

static int enter(void)
{
	struct landlock l;

	if (landlock_open(&l) < 0)
		return FORKED_SKIPS;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	landlock_allow_file(&l, in("conf/aditd.yaml"), LANDLOCK_READ);
	landlock_allow_file(&l, in("conf/key.pem"), LANDLOCK_READ);
	landlock_allow_file(&l, in("log/aditd.log"), LANDLOCK_LOG);
	landlock_allow_file(&l, in("log/not-there-yet"), LANDLOCK_LOG);
	landlock_allow_file(&l, "", LANDLOCK_READ);
	landlock_allow_file(&l, "/not-there", LANDLOCK_READ);
	landlock_allow(&l, in("state"), LANDLOCK_KEEP);
	landlock_allow(&l, in("missing"), LANDLOCK_KEEP);
	return landlock_close(&l) < 0 ? FORKED_SKIPS : 0;
}

static void run(int (*child)(void))
{
	forked(child, "this kernel has no Landlock");
}

static int read_only(void)
{
	int rc = enter();

	if (rc)
		return rc;
	ALLOWED(open(in("conf/aditd.yaml"), O_RDONLY));
	ALLOWED(open(in("conf/key.pem"), O_RDONLY));
	ALLOWED(open(in("conf"), O_RDONLY | O_DIRECTORY));
	REFUSED(open(in("conf/aditd.yaml"), O_WRONLY));
	REFUSED(open(in("conf/new"), O_WRONLY | O_CREAT, 0600));
	REFUSED(open(in("other/secret"), O_RDONLY));
	REFUSED(open("/etc/shadow", O_RDONLY));
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(open(".", O_RDONLY | O_DIRECTORY));
	REFUSED(mkdir(in("conf/new"), 0700));
	REFUSED(unlink(in("conf/aditd.yaml")));
	REFUSED(rename(in("conf/aditd.yaml"), in("state/stolen")));
	REFUSED(execve("/bin/true", (char *[]){ NULL }, (char *[]){ NULL }));
	return wrong;
}

Test(landlock, what_is_read_is_not_written_and_the_rest_is_not_there)
{
	run(read_only);
}

static int replaced(void)
{
	/* Whoever renews it has a process of his own. */
	int status = 0, rc;
	int ready[2];
	pid_t pid;

	if (pipe(ready) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		char byte;

		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		close(open(in("keys/2.pem"), O_WRONLY | O_CREAT, 0600));
		_exit(rename(in("keys/2.pem"), in("keys/real.pem")) < 0);
	}
	rc = enter();
	if (rc)
		return rc;
	if (write(ready[1], "x", 1) != 1)
		return 1;
	waitpid(pid, &status, 0);
	wrong += status != 0;
	ALLOWED(open(in("conf/key.pem"), O_RDONLY));
	return wrong;
}

Test(landlock, a_file_is_read_again_when_another_one_has_its_name)
{
	run(replaced);
}

static int bind_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return rc;
}

static int written(void)
{
	int rc = enter();

	if (rc)
		return rc;
	ALLOWED(open(in("state/lock"), O_RDWR | O_TRUNC));
	ALLOWED(open(in("state/new"), O_WRONLY | O_CREAT | O_EXCL, 0600));
	ALLOWED(rename(in("state/new"), in("state/users")));
	ALLOWED(link(in("state/users"), in("state/again")));
	ALLOWED(unlink(in("state/again")));
	ALLOWED(open(in("state/users"), O_RDONLY));
	ALLOWED(bind_at(in("state/admin.sock")));
	ALLOWED(unlink(in("state/admin.sock")));
	REFUSED(mkdir(in("state/folder"), 0700));
	REFUSED(symlink("/etc/shadow", in("state/shadow")));
	REFUSED(mkfifo(in("state/fifo"), 0600));
	ALLOWED(open(in("log/aditd.log"), O_WRONLY | O_CREAT | O_APPEND));
	ALLOWED(open(in("log/not-there-yet"), O_WRONLY | O_CREAT, 0600));
	REFUSED(open(in("log"), O_RDONLY | O_DIRECTORY));
	REFUSED(open(in("log/not-there-yet"), O_RDONLY));
	REFUSED(unlink(in("log/aditd.log")));
	REFUSED(bind_at(in("log/socket")));
	return wrong;
}

Test(landlock, state_is_kept_and_logs_are_opened_again)
{
	run(written);
}
