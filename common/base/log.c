/* SPDX-License-Identifier: Apache-2.0 */

/* Formatting, and one single-producer single-consumer byte ring a thread. */

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/utf8.h"

#define MESSAGE_MAX 2048
#define LINE_MAX_SIZE (MESSAGE_MAX * 2)
#define RING_SIZE (UINT32_C(1) << 18)
#define RINGS_MAX 1100

/* Bytes [tail, head) are lines; both only grow, modulo 2^32. */
struct ring {
	_Atomic uint32_t head, tail;
	_Atomic uint64_t dropped;
	uint64_t reported;
	char bytes[RING_SIZE];
};

static struct {
	int fd, wakeup;
	_Atomic enum log_level level;
	enum log_format format;
	bool color;
	log_writer_fn *writer; /* NULL: `fd` */
	void *writer_arg;
	const char *path;     /* of fd; NULL: none */
	pthread_mutex_t lock; /* of `rings`, when a thread attaches */
	_Atomic int count;
	struct ring *rings[RINGS_MAX];
} sink = { .fd = 2,
	.wakeup = -1,
	.level = LOG_INFO,
	.lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct ring *own_ring;

static const char *const level_names[] = { "trace", "debug", "info", "warn",
	"error" };

/* Select graphic rendition (ECMA-48 8.3.117): grey to red. */
static const char *const level_colors[] = { "\x1b[90m", "\x1b[90m", "\x1b[34m",
	"\x1b[33m", "\x1b[31m" };

/* A line under construction; what does not fit is cut. */
struct line {
	size_t n, size;
	char *text;
};

void log_open(int fd, enum log_level level, enum log_format format)
{
	sink.fd = fd;
	sink.level = level;
	sink.format = format;
	if (sink.wakeup < 0)
		sink.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&sink.level, level, memory_order_relaxed);
}

bool log_may_color(int fd)
{
	const char *none = getenv("NO_COLOR");

	return !(none && *none) && isatty(fd);
}

void log_set_color(bool wanted)
{
	sink.color = wanted && log_may_color(sink.fd);
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

int log_reopen(void)
{
	int fd, rc = 0;

	if (!sink.path)
		return 0;
	fd = open(sink.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	/* The number stays, as other threads write to it, too. */
	if (dup3(fd, sink.fd, O_CLOEXEC) < 0)
		rc = -errno;
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

static void write_all(const char *text, size_t n)
{
	if (sink.writer) {
		sink.writer(sink.writer_arg, text, n);
		return;
	}
	while (n > 0) {
		ssize_t done = write(sink.fd, text, n);

		if (done < 0 && errno != EINTR)
			return; /* nowhere left to complain */
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

static void drain_ring(struct ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint64_t dropped = atomic_load(&r->dropped);

	while (tail != head) {
		uint32_t at = tail % RING_SIZE, n = head - tail;

		if (n > RING_SIZE - at)
			n = RING_SIZE - at;
		write_all(r->bytes + at, n);
		tail += n;
		atomic_store_explicit(&r->tail, tail, memory_order_release);
	}
	if (dropped != r->reported) {
		log_warn("log lines dropped: %llu",
			(unsigned long long)(dropped - r->reported));
		r->reported = dropped;
	}
}

void log_drain(void)
{
	uint64_t n;
	int rings = atomic_load(&sink.count);

	if (read(sink.wakeup, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	for (int i = 0; i < rings; i++)
		drain_ring(sink.rings[i]);
}

bool log_enabled(enum log_level level)
{
	return level >= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

static void put(struct line *l, const char *text, size_t n)
{
	size_t room = l->size - l->n;

	/* An escape or a character is cut as a whole. */
	if (n > room && n <= 8) {
		l->size = l->n;
		return;
	}
	n = n > room ? room : n;
	memcpy(l->text + l->n, text, n);
	l->n += n;
}

static void put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* Escape one byte that cannot stand as it is. */
static void put_escape(struct line *l, unsigned char c)
{
	const char *form = sink.format == LOG_JSON ? "\\u%04x" : "\\x%02x";
	char text[8];

	snprintf(text, sizeof(text), form, c);
	put_text(l, text);
}

/* The text in quotes, on one line, valid UTF-8. */
static void put_quoted(struct line *l, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	put(l, "\"", 1);
	while (*s) {
		/* It stops at the NUL. */
		size_t n = *s >= 0x80 ? utf8_length(s, 4) : 1;

		if (*s == '"' || *s == '\\') {
			put(l, "\\", 1);
			put(l, (const char *)s, 1);
		} else if (*s == '\n') {
			put(l, "\\n", 2);
		} else if (*s < 0x20 || *s == 0x7f || n == 0) {
			put_escape(l, *s);
		} else {
			put(l, (const char *)s, n);
		}
		s += n ? n : 1;
	}
	put(l, "\"", 1);
}

/* A plain word needs no quotes in the text form. */
static bool is_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789._:-/[]*@+")] == '\0';
}

static void put_time(struct line *l)
{
	struct timespec now;
	struct tm tm;
	char text[64];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03ld", now.tv_nsec / 1000000);
	put_text(l, text);
}

static void build_text(struct line *l, enum log_level level,
	const char *const *pairs, const char *msg)
{
	put_time(l);
	put(l, " ", 1);
	if (sink.color)
		put_text(l, level_colors[level]);
	put_text(l, level_names[level]);
	if (sink.color)
		put_text(l, "\x1b[0m");
	put_text(l, " msg=");
	put_quoted(l, msg);
	for (; pairs && pairs[0]; pairs += 2) {
		put(l, " ", 1);
		put_text(l, pairs[0]);
		put(l, "=", 1);
		if (is_word(pairs[1]))
			put_text(l, pairs[1]);
		else
			put_quoted(l, pairs[1]);
	}
}

static void build_json(struct line *l, enum log_level level,
	const char *const *pairs, const char *msg)
{
	put_text(l, "{\"time\":\"");
	put_time(l);
	put_text(l, "\",\"level\":\"");
	put_text(l, level_names[level]);
	put_text(l, "\",\"msg\":");
	put_quoted(l, msg);
	for (; pairs && pairs[0]; pairs += 2) {
		put_text(l, ",\"");
		put_text(l, pairs[0]);
		put_text(l, "\":");
		put_quoted(l, pairs[1]);
	}
	put(l, "}", 1);
}

/* Hand the finished line, of n bytes with its line feed, to the main thread. */
static void emit(const char *text, size_t n)
{
	struct ring *r = own_ring;
	uint32_t head, tail, at, first;
	uint64_t one = 1;

	if (!r) {
		write_all(text, n);
		return;
	}
	head = atomic_load_explicit(&r->head, memory_order_relaxed);
	tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	if (n > RING_SIZE - (head - tail)) {
		atomic_fetch_add(&r->dropped, 1);
		return;
	}
	at = head % RING_SIZE;
	first = n < RING_SIZE - at ? (uint32_t)n : RING_SIZE - at;
	memcpy(r->bytes + at, text, first);
	memcpy(r->bytes, text + first, n - first);
	atomic_store_explicit(
		&r->head, head + (uint32_t)n, memory_order_release);
	/* EAGAIN: the counter is at its maximum, so it is readable. */
	if (write(sink.wakeup, &one, sizeof(one)) < 0 && errno != EAGAIN)
		atomic_fetch_add(&r->dropped, 1);
}

static void emit_line(enum log_level level, const char *const *pairs,
	const char *msg, char *buffer, size_t size)
{
	/* Room is kept for what closes the line, even when it is cut. */
	struct line l = { .size = size - 4, .text = buffer };

	if (sink.format == LOG_JSON)
		build_json(&l, level, pairs, msg);
	else
		build_text(&l, level, pairs, msg);
	if (l.n == l.size) {
		l.size = size - 1;
		put_text(&l, sink.format == LOG_JSON ? "\"}" : "\"");
	}
	buffer[l.n++] = '\n';
	emit(buffer, l.n);
}

void log_write(
	enum log_level level, const char *const *pairs, const char *fmt, ...)
{
	char msg[MESSAGE_MAX], buffer[LINE_MAX_SIZE];
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	emit_line(level, pairs, msg, buffer, sizeof(buffer));
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
	emit_line(level, NULL, text, buffer, size);
	free(buffer);
}
