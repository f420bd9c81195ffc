/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The account of one request of a visitor: when it began, its name, and, where
 * there is an access log, what its line will tell. It begins with the first
 * byte and is closed once, however the request ends; that makes the line.
 * It goes along when the visitor moves; functions are called by the worker
 * that has the visitor.
 */

#ifndef ADIT_SERVER_HTTP_ACCOUNT_H
#define ADIT_SERVER_HTTP_ACCOUNT_H

#include <stdint.h>

#include "common/base/reason.h"
#include "server/http/head_reader.h"

struct access_record;
struct address;
struct route;
struct worker;

/* All zero: there is no request. */
struct account {
	int64_t since;                /* clock.h; 0: there is no request */
	uint64_t id;                  /* request_id.h; 0: not asked for yet */
	struct access_record *record; /* owned; NULL: nothing is known */
};

/* What has become of the request. */
struct outcome {
	int64_t first; /* when its response began, clock.h; 0: never */
	uint64_t in, out;
	uint16_t status; /* 0: none */
};

/* The first bytes have come. */
void account_begin(struct account *a, const struct worker *w);

/* What is known of it: a complete head, and a route or NULL. */
void account_note(struct account *a, struct worker *w,
	const struct head_found *f, const struct route *r);

/* Its name. */
uint64_t account_id(struct account *a, struct worker *w);

/* It has ended. Where there is no request nothing happens. */
void account_close(struct account *a, struct worker *w,
	const struct address *visitor, const struct outcome *o,
	enum reason why);

/* Nobody will know: no memory. */
void account_discard(struct account *a);

#endif
