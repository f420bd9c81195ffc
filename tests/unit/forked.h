/* SPDX-License-Identifier: Apache-2.0 */

/* A test in a process of its own, as it gives up what others still need. */

#ifndef ADIT_UNIT_FORKED_H
#define ADIT_UNIT_FORKED_H

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit code of a child that cannot try it here. */
#define FORKED_SKIPS 99

/* The child returns 0 when all is right; `why` it may skip. */
static void forked(int (*child)(void), const char *why)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "%#x", status);
	if (WEXITSTATUS(status) == FORKED_SKIPS)
		cr_skip_test("%s", why);
	cr_assert_eq(WEXITSTATUS(status), 0);
}

#endif
