/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "server/worker.h"

/* From the main thread: show this one from now on. */
struct page_letter {
	struct letter letter;
	struct page *page; /* held */
};

struct page *page_hold(struct page *p)
{
	if (p)
		atomic_fetch_add(&p->holders, 1);
	return p;
}

void page_drop(struct page **pp)
{
	struct page *p = *pp;

	*pp = NULL;
	if (p && atomic_fetch_sub(&p->holders, 1) == 1)
		free(p);
}

/* --- the file --- */

/* All of the open file, which is of the size that `st` says, or shorter. */
static int read_page(int fd, const struct stat *st, struct page **page_r)
{
	size_t size = (size_t)st->st_size;
	struct page *p;
	ssize_t n = 1;

	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	if (size > PAGE_MAX)
		return -EFBIG;
	p = calloc(1, sizeof(*p) + size);
	if (!p)
		return -ENOMEM;
	while (p->size < size && n > 0) {
		n = read(fd, p->text + p->size, size - p->size);
		p->size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		int rc = -errno;

		free(p);
		return rc;
	}
	p->holders = 1;
	*page_r = p;
	return 0;
}

/* Read the file if it is not the one that was; 1: it was, -errno. */
static int look(struct page_file *f, struct page **page_r)
{
	struct file_stamp stamp;
	struct stat st = { 0 };
	/* Not to wait for whoever would write into a pipe. */
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	stamp = file_stamp_of(&st);
	if (rc == 0 && f->page && !memcmp(&stamp, &f->seen, sizeof(stamp)))
		rc = 1;
	if (rc == 0)
		rc = read_page(fd, &st, page_r);
	if (rc == 0)
		f->seen = stamp;
	close(fd);
	return rc;
}

int page_open(struct page_file *f, const char *path)
{
	*f = (struct page_file){ .path = *path ? path : NULL };
	return f->path ? look(f, &f->page) : 0;
}

void page_close(struct page_file *f)
{
	page_drop(&f->page);
}

/* --- the workers --- */

static void deliver_page(struct mailbox *m, struct letter *letter)
{
	struct page_letter *l = (struct page_letter *)letter;
	struct worker *w = worker_of_mailbox(m);

	page_drop(&w->page);
	w->page = l->page;
}

static void discard_page(struct letter *letter)
{
	page_drop(&((struct page_letter *)letter)->page);
}

static void publish(struct page *p, struct server *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct page_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard_page;
		l->page = page_hold(p);
		mailbox_post(
			&s->workers[i]->core.mailbox, &l->letter, deliver_page);
	}
}

void page_replace(struct page_file *f, struct page_file *by, struct server *s)
{
	page_drop(&f->page);
	*f = *by;
	*by = (struct page_file){ 0 };
	publish(f->page, s);
}

int page_look(struct page_file *f, struct server *s)
{
	int64_t now = clock_now();
	struct page *p;
	int rc;

	if (!f->path)
		return -1;
	if (now < f->due)
		return (int)((f->due - now) / CLOCK_MS) + 1;
	f->due = now + PAGE_PERIOD;
	rc = look(f, &p);
	if (rc == 0) {
		log_info("custom404Page %s: read again", f->path);
		page_drop(&f->page);
		f->page = p;
		publish(p, s);
	} else if (rc < 0 && !f->warned) {
		log_warn("custom404Page %s: %s; the page stays as it was",
			f->path, strerror(-rc));
	}
	f->warned = rc < 0;
	return PAGE_PERIOD / CLOCK_MS;
}
