/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names to addresses, without ever blocking a loop: getaddrinfo(3), or the
 * DNS server that is configured, is asked on a thread of the resolver, which
 * answers through a mailbox. Answers are kept for 30 s. One resolver a
 * program.
 */

#ifndef ADIT_EVENT_RESOLVER_H
#define ADIT_EVENT_RESOLVER_H

#include "common/base/address.h"
#include "common/base/pool.h"
#include "common/event/mailbox.h"

#define RESOLVER_ADDRESSES 8

struct resolver;

/* What becomes of a question; the asker is named by its handle. */
struct resolution {
	struct letter letter;
	struct mailbox *reply_to;
	letter_fn *deliver;
	struct handle asker;
	char host[ADDRESS_HOST_SIZE];
	uint16_t port;
	const char *error; /* static; NULL when there are addresses */
	int count;
	struct address addresses[RESOLVER_ADDRESSES]; /* with the port */
};

/*
 * `dns_server`: ADDRESS or ADDRESS:PORT to be asked; "": whom the system asks.
 * 0 or -errno.
 */
int resolver_create(struct resolver **r_r, const char *dns_server) must_check;

/* Waits for a look-up under way. NULL is accepted. */
void resolver_destroy(struct resolver **r);

/*
 * Any thread: look the host up (an IP literal too) and deliver a struct
 * resolution to the mailbox, whose owner outlives the resolver. At most 1,024
 * questions wait; -EAGAIN beyond, -ENOMEM.
 */
int resolver_ask(struct resolver *r, const char *host, uint16_t port,
	struct mailbox *reply_to, letter_fn *deliver,
	struct handle asker) must_check;

#endif
