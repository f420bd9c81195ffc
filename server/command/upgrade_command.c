/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/upgrade_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int upgrade_command_fork(void)
{
	pid_t pid;
	int told[2];

	if (pipe2(told, O_CLOEXEC) < 0) {
		fprintf(stderr, "aditd upgrade: %s\n", strerror(errno));
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "aditd upgrade: %s\n", strerror(errno));
		return -1;
	}
	if (pid > 0) {
		close(told[1]);
		_exit(wait_for_word(told[0]));
	}
	close(told[0]);
	/* Whoever hangs up the terminal does not mean the server. */
	setsid();
	return told[1];
}

void upgrade_command_tell(int told)
{
	if (write(told, "", 1) < 0)
		fprintf(stderr, "aditd upgrade: nobody waits\n");
	close(told);
}
