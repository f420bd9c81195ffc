/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/access_line.h"

/* Lines that are written together. */
#define OUT_SIZE ((size_t)256 * 1024)

/* How much the workers ask of the main thread. */
enum {
	ASKED_NOTHING,
	ASKED_SOON,
	ASKED_NOW, /* also while it is on its way anyhow */
};

/*
 * Bytes [tail, head) are records, each behind its size as uint32_t; both only
 * grow, modulo 2^32. The head is the worker's, the tail the main thread's.
 */
struct access_ring {
	struct access_log *log;
	_Alignas(64) _Atomic uint32_t head;
	_Alignas(64) _Atomic uint32_t tail;
	uint8_t bytes[ACCESS_RING_SIZE];
};

struct access_log {
	char *path; /* owned; "": nowhere; "console" */
	int fd, wakeup;
	enum access_format format;
	bool regular; /* a file: writing does not wait for anybody */
	bool failed;  /* the last write did, and it was told */
	bool stuck;   /* the destination takes nothing now */
	bool torn;    /* what was written last is a part of a line */
	int64_t due;  /* when to write, 0: not known */
	_Atomic int asked;
	_Atomic uint64_t unwritten;
	struct access_clock clock;
	size_t from, to; /* what is to be written, of `out` */
	char out[OUT_SIZE];
	_Alignas(16) uint8_t record[ACCESS_RECORD_MAX];
	uint32_t count;
	struct access_ring *rings[];
};

/* --- the worker's side --- */

static void copy_in(
	struct access_ring *ring, uint32_t at, const void *bytes, uint32_t n)
{
	uint32_t first = ACCESS_RING_SIZE - at % ACCESS_RING_SIZE;

	first = n < first ? n : first;
	memcpy(ring->bytes + at % ACCESS_RING_SIZE, bytes, first);
	memcpy(ring->bytes, (const uint8_t *)bytes + first, n - first);
}

static void wake(struct access_log *log, int wanted)
{
	uint64_t one = 1;

	if (atomic_load(&log->asked) >= wanted ||
		atomic_exchange(&log->asked, wanted) >= wanted)
		return;
	/* EAGAIN: the counter is at its maximum, so it is readable. */
	if (write(log->wakeup, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

bool access_ring_put(struct access_ring *ring, const struct access_record *r)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t used =
		head - atomic_load_explicit(&ring->tail, memory_order_acquire);
	uint32_t size = access_record_size(r);

	if (sizeof(size) + size > ACCESS_RING_SIZE - used)
		return false;
	copy_in(ring, head, &size, sizeof(size));
	copy_in(ring, head + sizeof(size), r, size);
	/*
	 * In one order for all, as in drain: either this sees that the main
	 * thread is not asked any more, or that sees the record.
	 */
	atomic_store(&ring->head, head + (uint32_t)sizeof(size) + size);
	wake(ring->log, used > ACCESS_RING_SIZE / 2 ? ASKED_NOW : ASKED_SOON);
	return true;
}

uint64_t access_log_unwritten(struct access_log *log)
{
	return atomic_exchange(&log->unwritten, 0);
}

/* --- the destination --- */

static bool is_console(const char *path)
{
	return !strcmp(path, "console");
}

/* A descriptor, or -errno. */
static int open_destination(const char *path)
{
	struct stat st;
	/* A FIFO that nobody reads is no reason to wait, or to give up. */
	bool fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	int fd;

	if (is_console(path))
		return STDOUT_FILENO;
	fd = open(path,
		(fifo ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND | O_NONBLOCK |
			O_CLOEXEC,
		0640);
	return fd < 0 ? -errno : fd;
}

static void close_destination(struct access_log *log)
{
	if (log->fd >= 0 && log->fd != STDOUT_FILENO)
		close(log->fd);
	log->fd = -1;
}

static void use(struct access_log *log, int fd)
{
	struct stat st;

	log->fd = fd;
	log->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	log->failed = log->stuck = log->torn = false;
}

/* Drop what is to be written, up to `to`. */
static void drop(struct access_log *log, size_t to)
{
	uint64_t lines = 0;

	for (; log->from < to; log->from++)
		lines += log->out[log->from] == '\n';
	atomic_fetch_add(&log->unwritten, lines);
}

/* The rest of a line whose beginning is elsewhere. */
static void drop_rest(struct access_log *log)
{
	char *end;

	if (!log->torn)
		return;
	end = memchr(log->out + log->from, '\n', log->to - log->from);
	drop(log, end ? (size_t)(end - log->out) + 1 : log->to);
	log->torn = false;
}

/*
 * How much may be written without being blocked, whatever the destination is:
 * a pipe that has room takes PIPE_BUF bytes, as a whole. Of these as many
 * lines as there are, so that they stay whole among what others write.
 */
static size_t piece(const struct access_log *log)
{
	struct pollfd p = { .fd = log->fd, .events = POLLOUT };
	size_t n = log->to - log->from;
	const char *end;

	if (log->regular)
		return n;
	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (n <= PIPE_BUF)
		return n;
	end = memrchr(log->out + log->from, '\n', PIPE_BUF);
	return end ? (size_t)(end - (log->out + log->from)) + 1 : PIPE_BUF;
}

static void note_failure(struct access_log *log)
{
	if (!log->failed)
		log_error("accessLog.to %s: %s; lines are dropped", log->path,
			strerror(errno));
	log->failed = true;
	drop(log, log->to);
}

static void note_success(struct access_log *log)
{
	if (log->failed)
		log_info("accessLog.to: lines are written again");
	log->failed = false;
}

/* Write all that is there. False: the destination takes no more now. */
static bool flush(struct access_log *log)
{
	if (log->fd < 0)
		log->from = log->to;
	while (log->from < log->to) {
		size_t n = piece(log);
		ssize_t done = 0;

		if (n > 0)
			done = write(log->fd, log->out + log->from, n);
		if (done > 0) {
			note_success(log);
			log->from += (size_t)done;
			log->torn = log->out[log->from - 1] != '\n';
		} else if (done == 0 || errno == EAGAIN) {
			return false;
		} else if (errno != EINTR) {
			note_failure(log);
		}
	}
	log->from = log->to = 0;
	return true;
}

/* --- from the rings to the destination --- */

static void copy_out(
	const struct access_ring *ring, uint32_t at, void *bytes, uint32_t n)
{
	uint32_t first = ACCESS_RING_SIZE - at % ACCESS_RING_SIZE;

	first = n < first ? n : first;
	memcpy(bytes, ring->bytes + at % ACCESS_RING_SIZE, first);
	memcpy((uint8_t *)bytes + first, ring->bytes, n - first);
}

/* A line of the next record, behind the others. */
static void add_line(struct access_log *log)
{
	/* A line that was torn by an error ends here. */
	if (log->torn && log->from == log->to)
		log->out[log->to++] = '\n';
	log->to += access_line(log->out + log->to, (void *)log->record,
		log->format, &log->clock);
}

/* All records that are there now. False: the destination takes no more. */
static bool drain_ring(struct access_log *log, struct access_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t head = atomic_load(&ring->head);
	uint32_t size;

	while (tail != head) {
		if (OUT_SIZE - log->to <= ACCESS_LINE_MAX && !flush(log))
			return false;
		copy_out(ring, tail, &size, sizeof(size));
		copy_out(ring, tail + sizeof(size), log->record, size);
		tail += sizeof(size) + size;
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
		add_line(log);
	}
	return true;
}

static void drain(struct access_log *log)
{
	bool all = true;

	/* Before the rings are looked at: who comes later, asks again. */
	atomic_exchange(&log->asked, ASKED_NOTHING);
	for (uint32_t i = 0; i < log->count && all; i++)
		all = drain_ring(log, log->rings[i]);
	log->stuck = !flush(log) || !all;
	/* Then it is looked at every now and then, whoever asks. */
	if (log->stuck)
		atomic_exchange(&log->asked, ASKED_NOW);
	log->due = log->stuck ? clock_now() + ACCESS_LOG_PERIOD : 0;
}

int access_log_run(struct access_log *log, bool last)
{
	int64_t now = clock_now();
	uint64_t n;
	int asked;

	/* First, so that who asks from here on wakes again. */
	if (read(log->wakeup, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return -1;
	asked = atomic_load(&log->asked);
	if (!log->due && asked != ASKED_NOTHING)
		log->due = now + ACCESS_LOG_PERIOD;
	if (last || (log->due && now >= log->due) ||
		(asked == ASKED_NOW && !log->stuck))
		drain(log);
	if (last && log->stuck)
		log_warn("accessLog.to: the last lines could not be written");
	if (!log->due)
		return -1;
	/* Writing took its time. */
	now = clock_now();
	return log->due > now ? (int)((log->due - now) / CLOCK_MS) + 1 : 0;
}

/* Go on in this one. */
static void change_destination(struct access_log *log, int fd)
{
	/* What has been told so far belongs to the old one. */
	drain(log);
	drop_rest(log);
	close_destination(log);
	if (fd >= 0)
		use(log, fd);
}

void access_log_reopen(struct access_log *log)
{
	int fd;

	if (!*log->path || is_console(log->path))
		return;
	fd = open_destination(log->path);
	if (fd < 0)
		log_error("accessLog.to %s cannot be opened again: %s",
			log->path, strerror(-fd));
	else
		change_destination(log, fd);
}

int access_log_change(
	struct access_log **log_p, const struct settings *s, uint32_t workers)
{
	struct access_log *log = *log_p;
	int fd = -1;
	char *path;

	if (!log)
		return access_log_create(log_p, s, workers);
	path = strdup(s->access_log_to);
	if (!path)
		return -ENOMEM;
	if (*path)
		fd = open_destination(path);
	if (*path && fd < 0) {
		free(path);
		return fd;
	}
	change_destination(log, fd);
	free(log->path);
	log->path = path;
	log->format = (enum access_format)s->access_log_format;
	/* It is for one format only. */
	log->clock = (struct access_clock){ 0 };
	return 0;
}

/* --- begin and end --- */

static int make_rings(struct access_log *log, uint32_t workers)
{
	for (; log->count < workers; log->count++) {
		struct access_ring *ring = aligned_alloc(64, sizeof(*ring));

		if (!ring)
			return -ENOMEM;
		ring->log = log;
		atomic_init(&ring->head, 0);
		atomic_init(&ring->tail, 0);
		log->rings[log->count] = ring;
	}
	return 0;
}

int access_log_create(
	struct access_log **log_r, const struct settings *s, uint32_t workers)
{
	struct access_log *log;
	int rc;

	*log_r = NULL;
	if (!*s->access_log_to)
		return 0;
	log = calloc(1, sizeof(*log) + workers * sizeof(log->rings[0]));
	if (!log)
		return -ENOMEM;
	log->fd = -1;
	log->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	log->path = strdup(s->access_log_to);
	log->format = (enum access_format)s->access_log_format;
	rc = log->wakeup < 0 ? -errno : 0;
	if (rc == 0)
		rc = log->path ? make_rings(log, workers) : -ENOMEM;
	if (rc == 0)
		rc = open_destination(log->path);
	if (rc < 0) {
		access_log_destroy(&log);
		return rc;
	}
	use(log, rc);
	*log_r = log;
	return 0;
}

void access_log_destroy(struct access_log **log_p)
{
	struct access_log *log = *log_p;

	*log_p = NULL;
	if (!log)
		return;
	close_destination(log);
	if (log->wakeup >= 0)
		close(log->wakeup);
	for (uint32_t i = 0; i < log->count; i++)
		free(log->rings[i]);
	free(log->path);
	free(log);
}

struct access_ring *access_log_ring(struct access_log *log, uint32_t worker)
{
	return log->rings[worker];
}

int access_log_fd(const struct access_log *log)
{
	return log->wakeup;
}
