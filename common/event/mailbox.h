/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one way into another thread: letters, posted from anywhere, delivered
 * by the loop that owns the mailbox, each sender's in order, with one wake-up
 * a batch. A thread may post to itself, too: such a letter comes with the next
 * turn and costs no wake-up. A letter names objects by handle, never
 * by pointer.
 */

#ifndef ADIT_EVENT_MAILBOX_H
#define ADIT_EVENT_MAILBOX_H

#include <stdatomic.h>

#include "common/base/timer.h"
#include "common/event/operation.h"

struct mailbox;
struct letter;

/* Called by the owner's loop; the letter is freed after it. */
typedef void letter_fn(struct mailbox *m, struct letter *letter);

/* Embedded first in what is sent. */
struct letter {
	struct letter *next;
	letter_fn *deliver;
	/* NULL, or gives up what it carries if it is never delivered. */
	void (*discard)(struct letter *letter);
};

/* Embedded in the thread's main object. */
struct mailbox {
	_Atomic(struct letter *) newest;
	struct loop *loop;
	struct op wake;
	struct letter *own, **own_end; /* the owner's to itself, in order */
	struct timer own_due;
	int fd;
	bool stopped;
};

/*
 * A zeroed letter of `size` bytes, struct letter included. Never NULL: without
 * memory the program ends, as a letter that is lost would leave two threads
 * waiting for each other for ever.
 */
void *letter_new(size_t size);

/* 0 or -errno. The owner's loop is given later, with mailbox_start. */
int mailbox_init(struct mailbox *m) must_check;

/* Owner: deliver from now on, until mailbox_stop. */
void mailbox_start(struct mailbox *m, struct loop *l);

/* Owner: no more deliveries; the wake operation ends within some turns. */
void mailbox_stop(struct mailbox *m);

/* No thread posts any more; letters never delivered are discarded. */
void mailbox_destroy(struct mailbox *m);

/* Any thread: `letter` is from letter_new and is taken over. */
void mailbox_post(struct mailbox *m, struct letter *letter, letter_fn *deliver);

#endif
