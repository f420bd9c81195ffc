/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lines are "UNTIL STAMP USER". Notes wait in a stack that any thread may push
 * to. The file grows at its end; a long one is written anew without what is
 * over.
 */

#include "server/users/seen_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/state_file.h"
#include "common/conf/join.h"
#include "server/registry/registry.h"
#include "server/users/seen.h"

#define PERIOD CLOCK_SECOND

/* When it is written anew, and what then stays of it at most. */
#define SIZE_LONG ((int64_t)STATE_FILE_MAX * 3 / 4)
#define SIZE_KEPT ((size_t)STATE_FILE_MAX * 5 / 8)

/* Room for a line and a NUL. */
#define LINE_SIZE (2 * 21 + JOIN_NAME_SIZE)

_Static_assert((size_t)SEEN_MAX *LINE_SIZE <= SIZE_KEPT,
	"one user displaces the others' lines");

struct seen_note {
	struct seen_note *next;
	int64_t stamp, until;
	char user[];
};

struct seen_line {
	int64_t until, stamp;
	char user[JOIN_NAME_SIZE];
};

/* A line, its end included; false: it is none, or a part of one. */
static bool parse_line(struct seen_line *l, const char *text)
{
	size_t length = strcspn(text, "\n");
	char line[LINE_SIZE];
	int n = 0;

	if (text[length] != '\n' || length >= sizeof(line))
		return false;
	/* By itself: sscanf measures all that it is given. */
	memcpy(line, text, length);
	line[length] = '\0';
	return sscanf(line, "%" SCNd64 " %" SCNd64 " %32[a-z0-9_-]%n",
		       &l->until, &l->stamp, l->user, &n) == 3 &&
	       line[n] == '\0';
}

/* The line after this one; NULL: no more. */
static const char *next_line(const char *text)
{
	text = strchr(text, '\n');
	return text && text[1] ? text + 1 : NULL;
}

/*
 * What is not over to the beginning of the text, with a NUL; its size. Only if
 * that is too much the oldest goes, and of one user there is never so much.
 */
static size_t keep(char *text, int64_t now)
{
	const char *at = text, *next;
	struct seen_line l;
	size_t n = 0;

	for (; at; at = next) {
		size_t length = strcspn(at, "\n") + 1;

		next = next_line(at);
		if (!parse_line(&l, at) || l.until <= now)
			continue;
		memmove(text + n, at, length);
		n += length;
	}
	text[n] = '\0';
	if (n <= SIZE_KEPT)
		return n;
	at = next_line(text + n - SIZE_KEPT);
	n = at ? strlen(at) : 0;
	memmove(text, at ? at : "", n + 1);
	return n;
}

/* Write it anew, and tell the registry, if any, what stays. */
static int shorten(struct seen_file *f, struct registry *reg, const char **why)
{
	int64_t now = time(NULL);
	struct seen_line l;
	size_t size;
	char *text;
	int rc = state_file_read(f->path, &text, &size, why);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	size = keep(text, now);
	rc = state_file_write(f->path, text, size);
	f->size = (int64_t)size;
	for (const char *at = size > 0 ? text : NULL; reg && at;
		at = next_line(at))
		if (parse_line(&l, at))
			registry_remember(reg, l.user, l.stamp, l.until - now);
	free(text);
	if (rc < 0)
		*why = strerrordesc_np(-rc);
	return rc;
}

int seen_file_open(
	struct seen_file *f, const char *directory, struct registry *reg)
{
	const char *why;
	int rc;

	if (asprintf(&f->path, "%s/legacy-seen", directory) < 0) {
		f->path = NULL;
		return -ENOMEM;
	}
	rc = shorten(f, reg, &why);
	if (rc < 0)
		log_error("%s: %s", f->path, why);
	return rc;
}

void seen_file_note(
	struct seen_file *f, const char *user, int64_t stamp, int64_t until)
{
	size_t size = strlen(user) + 1;
	struct seen_note *n = f->path ? malloc(sizeof(*n) + size) : NULL;

	if (!n)
		return;
	n->stamp = stamp;
	n->until = until;
	memcpy(n->user, user, size);
	n->next = atomic_load(&f->newest);
	while (!atomic_compare_exchange_weak(&f->newest, &n->next, n))
		continue;
}

/* Append them all, which are freed, in whatever order. */
static int append(struct seen_file *f, struct seen_note *n)
{
	int fd = open(f->path,
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : 0;

	while (n) {
		struct seen_note *next = n->next;
		int size = rc < 0 ? 0
				  : dprintf(fd, "%" PRId64 " %" PRId64 " %s\n",
					    n->until, n->stamp, n->user);

		if (size < 0)
			rc = -errno;
		f->size += size > 0 ? size : 0;
		free(n);
		n = next;
	}
	if (rc == 0 && fdatasync(fd) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

int seen_file_look(struct seen_file *f, bool last)
{
	int64_t now = clock_now();
	struct seen_note *notes;
	const char *why;
	int rc = 0;

	if (!f->path)
		return -1;
	if (now < f->due && !last)
		return (int)((f->due - now) / CLOCK_MS) + 1;
	f->due = now + PERIOD;
	notes = atomic_exchange(&f->newest, NULL);
	if (notes)
		rc = append(f, notes);
	if (rc < 0 && !f->warned)
		log_warn("%s: %s", f->path, strerror(-rc));
	f->warned = rc < 0;
	if (f->size > SIZE_LONG && shorten(f, NULL, &why) < 0) {
		log_warn("%s: %s", f->path, why);
		/* Not to be tried with every login. */
		f->size = 0;
	}
	return PERIOD / CLOCK_MS;
}

void seen_file_close(struct seen_file *f)
{
	struct seen_note *n = atomic_load(&f->newest);

	while (n) {
		struct seen_note *next = n->next;

		free(n);
		n = next;
	}
	free(f->path);
}
