/* SPDX-License-Identifier: Apache-2.0 */

/* One single-producer single-consumer byte ring a thread. */

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log_line.h"
#include "common/base/log_out.h"

#define MESSAGE_MAX 2048
#define LINE_MAX_SIZE (MESSAGE_MAX * 2)
#define RING_SIZE (UINT32_C(1) << 18)
#define RINGS_MAX 1100

/* Bytes [tail, head) are lines; both only grow, modulo 2^32. */
struct ring {
	_Atomic uint32_t head, tail;
	char bytes[RING_SIZE];
};

static struct {
	int fd, wakeup; /* fd: see log_out */
	int echo;       /* -1: none */
	_Atomic enum log_level level;
	struct log_form form;
	_Atomic uint64_t dropped;
	uint64_t reported;     /* of `dropped` */
	log_writer_fn *writer; /* NULL: `fd` */
	void *writer_arg;
	const char *path;     /* of fd; NULL: none */
	pthread_mutex_t lock; /* of `rings`, when a thread attaches */
	_Atomic int count;
	struct ring *rings[RINGS_MAX];
} sink = { .fd = 2,
	.wakeup = -1,
	.echo = -1,
	.level = LOG_INFO,
	.lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct ring *own_ring;

void log_open(int fd, enum log_level level, enum log_format format)
{
	sink.fd = fd;
	log_out_open(fd);
	sink.level = level;
	sink.form.format = format;
	if (sink.wakeup < 0)
		sink.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&sink.level, level, memory_order_relaxed);
}

bool log_may_color(int fd)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(none && *none) && !(term && !strcmp(term, "dumb")) &&
	       isatty(fd);
}

void log_set_color(bool wanted)
{
	sink.form.color = wanted && log_may_color(sink.fd);
}

void log_moved(bool wants_color)
{
	log_out_open(sink.fd);
	log_set_color(wants_color);
}

static bool is_same(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 &&
	       of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

void log_set_echo(int fd)
{
	sink.echo = fd >= 0 && is_same(fd, sink.fd) ? -1 : fd;
}

void log_set_writer(log_writer_fn *writer, void *arg)
{
	sink.writer = writer;
	sink.writer_arg = arg;
}

void log_set_file(const char *path)
{
	sink.path = path;
}

static int open_fifo(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	/* Who may not read needs a reader. */
	if (fd < 0 && errno == EACCES)
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int log_open_file(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		return open_fifo(path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return fd < 0 ? -errno : fd;
}

int log_reopen(void)
{
	int fd, rc;

	if (!sink.path)
		return 0;
	fd = log_open_file(sink.path);
	if (fd < 0)
		return fd;
	rc = log_out_change(fd);
	close(fd);
	return rc;
}

int log_attach(void)
{
	struct ring *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r)
		return rc;
	pthread_mutex_lock(&sink.lock);
	if (sink.count < RINGS_MAX) {
		sink.rings[sink.count] = r;
		atomic_fetch_add(&sink.count, 1);
		rc = 0;
	}
	pthread_mutex_unlock(&sink.lock);
	if (rc < 0)
		free(r);
	else
		own_ring = r;
	return rc;
}

int log_wakeup_fd(void)
{
	return sink.wakeup;
}

/* False: it cannot be. */
static bool wake(void)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is at its maximum, so it is readable. */
	return write(sink.wakeup, &one, sizeof(one)) > 0 || errno == EAGAIN;
}

/* Lines of a thread without a ring. */
static void write_directly(const char *text, size_t n)
{
	if (sink.writer) {
		sink.writer(sink.writer_arg, text, n);
		return;
	}
	if (log_out_add(text, n, "", 0))
		log_out_flush();
	else
		atomic_fetch_add(&sink.dropped, 1);
	/* The main thread is to look at the descriptor. */
	if (log_stuck_fd() >= 0)
		wake();
}

/* Lines in two parts. False: there is no room for them now. */
static bool take(const char *text, size_t n, const char *more, size_t m)
{
	if (!sink.writer)
		return log_out_add(text, n, more, m);
	if (n > 0)
		sink.writer(sink.writer_arg, text, n);
	if (m > 0)
		sink.writer(sink.writer_arg, more, m);
	return true;
}

/* All lines that are there now. False: they stay. */
static bool drain_ring(struct ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint32_t at = tail % RING_SIZE, n = head - tail;
	uint32_t first = n < RING_SIZE - at ? n : RING_SIZE - at;

	if (!take(r->bytes + at, first, r->bytes, n - first))
		return false;
	atomic_store_explicit(&r->tail, head, memory_order_release);
	return true;
}

static bool drain_rings(void)
{
	int rings = atomic_load(&sink.count);

	for (int i = 0; i < rings; i++)
		if (!drain_ring(sink.rings[i]))
			return false;
	return true;
}

static void tell_dropped(void)
{
	uint64_t dropped = atomic_load(&sink.dropped);

	if (dropped == sink.reported || log_stuck_fd() >= 0)
		return;
	log_warn("log lines dropped: %llu",
		(unsigned long long)(dropped - sink.reported));
	sink.reported = dropped;
}

void log_drain(void)
{
	uint64_t n;
	bool all;

	if (read(sink.wakeup, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	/* Somebody may have come in between and made room. */
	do {
		all = drain_rings();
		log_out_flush();
	} while (!all && log_stuck_fd() < 0);
	tell_dropped();
}

void log_hurry(bool wanted)
{
	log_out_hurry(wanted);
}

int log_stuck_fd(void)
{
	return log_out_stuck_fd();
}

bool log_enabled(enum log_level level)
{
	return level >= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

/* What finds nobody there is in the log. */
static void echo(enum log_level level, const char *text, size_t n)
{
	struct pollfd p = { .fd = sink.echo, .events = POLLOUT };

	if (level < LOG_WARN || sink.echo < 0 || poll(&p, 1, 0) <= 0)
		return;
	while (write(sink.echo, text, n) < 0 && errno == EINTR)
		;
}

/* Hand the finished line, of n bytes with its line feed, to the main thread. */
static void emit(const char *text, size_t n)
{
	struct ring *r = own_ring;
	uint32_t head, tail, at, first;

	if (!r) {
		write_directly(text, n);
		return;
	}
	head = atomic_load_explicit(&r->head, memory_order_relaxed);
	tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	if (n > RING_SIZE - (head - tail)) {
		atomic_fetch_add(&sink.dropped, 1);
		return;
	}
	at = head % RING_SIZE;
	first = n < RING_SIZE - at ? (uint32_t)n : RING_SIZE - at;
	memcpy(r->bytes + at, text, first);
	memcpy(r->bytes, text + first, n - first);
	atomic_store_explicit(
		&r->head, head + (uint32_t)n, memory_order_release);
	if (!wake())
		atomic_fetch_add(&sink.dropped, 1);
}

void log_write(
	enum log_level level, const char *const *pairs, const char *fmt, ...)
{
	char msg[MESSAGE_MAX], buffer[LINE_MAX_SIZE];
	va_list args;
	size_t n;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	n = log_line(buffer, sizeof(buffer), &sink.form, level, pairs, msg);
	echo(level, buffer, n);
	emit(buffer, n);
}

void log_lines(enum log_level level, const char *before, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		log_write(level, NULL, "%s%.*s", before, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

void log_long(enum log_level level, const char *text)
{
	size_t size = strlen(text) * 2 + 256;
	char *buffer;

	if (!log_enabled(level))
		return;
	buffer = malloc(size);
	if (!buffer)
		return;
	emit(buffer, log_line(buffer, size, &sink.form, level, NULL, text));
	free(buffer);
}
