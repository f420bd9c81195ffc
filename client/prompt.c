/* SPDX-License-Identifier: Apache-2.0 */

#include "client/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Until a line is there: 0; a signal waits to be taken: -EINTR. */
static int await(int signals)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN } };
	int n;

	do
		n = poll(p, ARRAY_SIZE(p), -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return p[1].revents ? -EINTR : 0;
}

/* One read: a terminal gives a line, or what there is of it at Ctrl-D. */
static int read_line(int signals, char *text, size_t size)
{
	int rc = await(signals);
	ssize_t n;

	*text = '\0';
	if (rc < 0)
		return rc;
	n = read(STDIN_FILENO, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

/* Without an echo; nor is it to be stopped so, which would leave it hidden. */
static void hide(const struct termios *shown)
{
	struct termios hidden = *shown;

	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

int prompt_secret(const char *question, char *text, size_t size)
{
	struct termios shown;
	sigset_t ending, before;
	int rc, signals;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -ENOTTY;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGQUIT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	signals = signalfd(-1, &ending, SFD_CLOEXEC);
	if (signals < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &ending, &before);
	fputs(question, stderr);
	hide(&shown);
	rc = read_line(signals, text, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	/* What was not read of `signals` ends the program now. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(signals);
	return rc;
}
