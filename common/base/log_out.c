/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"

/* How long one flush waits for a reader, where nobody is served. */
#define PATIENCE CLOCK_SECOND

static struct {
	int fd;
	bool regular; /* a file: writing does not wait for anybody */
	bool torn;    /* what was written last is a part of a line */
	_Atomic bool hurried;
	_Atomic bool stuck; /* the descriptor takes nothing now */
	pthread_mutex_t lock;
} out = { .fd = STDERR_FILENO, .lock = PTHREAD_MUTEX_INITIALIZER };

/* Bytes [from, to) are to be written. */
static struct {
	size_t from, to;
	char text[LOG_OUT_SIZE];
} left;

static void use(int fd)
{
	struct stat st;

	out.fd = fd;
	out.regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	out.stuck = false;
}

void log_out_open(int fd)
{
	use(fd);
}

/*
 * How much may be written without being blocked, whatever the descriptor is:
 * a pipe that has room takes PIPE_BUF bytes, as a whole. Of these as many
 * lines as there are, so that they stay whole among what others write.
 */
static size_t piece(int wait)
{
	struct pollfd p = { .fd = out.fd, .events = POLLOUT };
	size_t n = left.to - left.from;
	const char *end;

	if (out.regular)
		return n;
	if (poll(&p, 1, wait) <= 0)
		return 0;
	if (n <= PIPE_BUF)
		return n;
	end = memrchr(left.text + left.from, '\n', PIPE_BUF);
	return end ? (size_t)(end - (left.text + left.from)) + 1 : PIPE_BUF;
}

/* Milliseconds until then; 0 is no time at all. */
static int until(int64_t then)
{
	int64_t rest = then ? then - clock_now() : 0;

	return rest > 0 ? (int)(rest / CLOCK_MS) : 0;
}

/* Write all that is there. False: the descriptor takes no more now. */
static bool flush(void)
{
	bool patient = !out.hurried && !out.stuck && !out.regular;
	int64_t end = patient ? clock_now() + PATIENCE : 0;

	while (left.from < left.to) {
		size_t n = piece(until(end));
		ssize_t done = 0;

		if (n > 0)
			done = write(out.fd, left.text + left.from, n);
		if (done > 0) {
			left.from += (size_t)done;
			out.torn = left.text[left.from - 1] != '\n';
		} else if (done == 0 || errno == EAGAIN) {
			out.stuck = true;
			return false;
		} else if (errno != EINTR) {
			left.from = left.to; /* nowhere left to complain */
		}
	}
	left.from = left.to = 0;
	out.stuck = false;
	return true;
}

static bool make_room(size_t n)
{
	if (n > LOG_OUT_SIZE - left.to && !flush() && left.from > 0) {
		left.to -= left.from;
		memmove(left.text, left.text + left.from, left.to);
		left.from = 0;
	}
	return n <= LOG_OUT_SIZE - left.to;
}

bool log_out_add(const char *text, size_t n, const char *more, size_t m)
{
	bool room;

	pthread_mutex_lock(&out.lock);
	room = make_room(n + m);
	if (room) {
		memcpy(left.text + left.to, text, n);
		memcpy(left.text + left.to + n, more, m);
		left.to += n + m;
	}
	pthread_mutex_unlock(&out.lock);
	return room;
}

void log_out_flush(void)
{
	pthread_mutex_lock(&out.lock);
	flush();
	pthread_mutex_unlock(&out.lock);
}

/* The rest of a line whose beginning is elsewhere. */
static void drop_rest(void)
{
	char *end;

	if (!out.torn)
		return;
	end = memchr(left.text + left.from, '\n', left.to - left.from);
	left.from = end ? (size_t)(end - left.text) + 1 : left.to;
	out.torn = false;
}

int log_out_change(int fd)
{
	int rc = 0;

	pthread_mutex_lock(&out.lock);
	flush();
	if (dup3(fd, out.fd, O_CLOEXEC) < 0) {
		rc = -errno;
	} else {
		use(out.fd);
		drop_rest();
		flush();
	}
	pthread_mutex_unlock(&out.lock);
	return rc;
}

void log_out_hurry(bool wanted)
{
	out.hurried = wanted;
	/* What did not take anything then is given its time again. */
	out.stuck = false;
}

int log_out_stuck_fd(void)
{
	return out.stuck ? out.fd : -1;
}
