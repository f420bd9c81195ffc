/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names to addresses, without ever blocking a loop: getaddrinfo(3), or the
 * DNS server that is configured, is asked on threads of the resolver, which
 * answers through a mailbox. A name that is not answered holds up one thread,
 * and an urgent question never waits for others': one thread is kept for it.
 * Who asks for what is being looked up waits with who asked first. Answers are
 * kept for 30 s, failures for 3 s. One resolver a program.
 */

#ifndef ADIT_EVENT_RESOLVER_H
#define ADIT_EVENT_RESOLVER_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/base/pool.h"
#include "common/event/mailbox.h"

#define RESOLVER_ADDRESSES 8

struct resolver;

/* The host is copied. */
struct resolver_question {
	const char *host; /* an IP literal, too */
	uint16_t port;
	bool urgent;   /* before others, and whatever failed a moment ago */
	int64_t until; /* clock.h: nobody waits for the answer any more */
	struct mailbox *reply_to; /* its owner outlives the resolver */
	letter_fn *deliver;
	struct handle asker;
};

/* What a name leads to. */
struct resolver_answer {
	const char *error; /* static; NULL when there are addresses */
	int count;
	struct address addresses[RESOLVER_ADDRESSES]; /* with the port */
};

/* What becomes of a question; the asker is named by its handle. */
struct resolution {
	struct letter letter;
	struct handle asker;
	struct resolver_answer answer;
};

/*
 * `dns_server`: ADDRESS or ADDRESS:PORT to be asked; "": whom the system asks.
 * 0 or -errno.
 */
int resolver_create(struct resolver **r_r, const char *dns_server) must_check;

/*
 * Nothing is delivered any more. A look-up under way is not waited for: its
 * thread ends when it has an answer. NULL is accepted.
 */
void resolver_destroy(struct resolver **r);

/*
 * Any thread: look the host up and deliver a struct resolution to the mailbox;
 * perhaps none, if there is no answer in time. At most 1,024 names wait, and
 * 16,384 questions for each; -EAGAIN beyond, -ENOMEM.
 */
int resolver_ask(struct resolver *r,
	const struct resolver_question *question) must_check;

#endif
