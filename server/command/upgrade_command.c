/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/upgrade_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until the other process is the server (0), or will never be (1). */
static int wait_for_word(int told)
{
	char word;
	ssize_t n;

	do
		n = read(told, &word, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : 1;
}

static int fork_or_say(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fprintf(stderr, "aditd upgrade: %s\n", strerror(errno));
	return pid;
}

int upgrade_command_fork(void)
{
	pid_t between, pid;
	int told[2];

	if (pipe2(told, O_CLOEXEC) < 0) {
		fprintf(stderr, "aditd upgrade: %s\n", strerror(errno));
		return -1;
	}
	fflush(NULL);
	between = fork_or_say();
	if (between < 0)
		return -1;
	if (between > 0) {
		close(told[1]);
		waitpid(between, NULL, 0);
		_exit(wait_for_word(told[0]));
	}
	/* Whoever hangs up the terminal does not mean the server. */
	setsid();
	/* As daemon(7): its parent is whoever supervises services from the
	 * beginning, who warns of a main process that is another's child. */
	pid = fork_or_say();
	if (pid != 0)
		_exit(pid < 0);
	close(told[0]);
	return told[1];
}

void upgrade_command_tell(int told)
{
	if (write(told, "", 1) < 0)
		fprintf(stderr, "aditd upgrade: nobody waits\n");
	close(told);
}
