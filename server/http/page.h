/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The page of custom404Page. The main thread looks once a second whether the
 * file has changed, reads it anew and sends it to the workers in letters. A
 * page is not changed any more and freed by who drops it last: the main thread
 * holds the newest, each worker the one that it shows, each letter its own.
 */

#ifndef ADIT_SERVER_HTTP_PAGE_H
#define ADIT_SERVER_HTTP_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/file_stamp.h"
#include "common/base/compiler.h"

struct server;

/* Bytes of a page. */
#define PAGE_MAX ((size_t)1024 * 1024)

/* How often the main thread looks at the file. */
#define PAGE_PERIOD CLOCK_SECOND

struct page {
	_Atomic uint32_t holders;
	size_t size;
	char text[];
};

/* The main thread's; all zero before page_open. */
struct page_file {
	const char *path;
	struct page *page;      /* the newest; held */
	struct file_stamp seen; /* of the file when it was read */
	int64_t due;            /* when to look again */
	bool warned;            /* that it cannot be read now */
};

/*
 * Read the file, whose path, "" for none, outlives the struct; 0 or -errno.
 * Nobody is told of it.
 */
int page_open(struct page_file *f, const char *path) must_check;

/* Another file, which is taken over, is the one; the workers are told. */
void page_replace(struct page_file *f, struct page_file *by, struct server *s);

/*
 * Look at the file if that is due, and tell the server's workers of a change;
 * without a file nothing happens. What cannot be read or is too large leaves
 * the page as it is, with one warning. Returns in how many ms to look again,
 * -1: never.
 */
int page_look(struct page_file *f, struct server *s);

void page_close(struct page_file *f);

/* Any thread. NULL is accepted. */
struct page *page_hold(struct page *p);
void page_drop(struct page **p);

#endif
