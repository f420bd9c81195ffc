/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proxies of a configuration. A table is not changed any more: a reload
 * makes another one, in which those that are as they were are the same objects,
 * and sends it to the workers. It is freed by who drops it last: the main
 * thread holds the newest, each worker the one that it goes by.
 */

#ifndef ADIT_CLIENT_PROXY_TABLE_H
#define ADIT_CLIENT_PROXY_TABLE_H

#include "client/proxy.h"

struct proxy_table {
	_Atomic uint32_t holders;
	/* Held where their names are still to be printed; or NULL. */
	struct proxy_table *before;
	size_t count;
	struct proxy *list[]; /* held */
};

/*
 * Main thread: the proxies that are wanted; those of `old`, which may be NULL,
 * where they have not changed. Held once. NULL: no memory.
 */
struct proxy_table *proxy_table_make(struct client *first,
	const struct settings *s, const struct proxy_table *old) must_check;

/* Any thread. NULL is accepted. */
struct proxy_table *proxy_table_hold(struct proxy_table *t);
void proxy_table_drop(struct proxy_table **t);

/* The one of this full name, or NULL. */
struct proxy *proxy_table_find(const struct proxy_table *t, const char *name);

/*
 * Those of `a` that are not in `b`, as frp's log has them: "[NAME NAME]" in
 * `text`, cut where there is no room; how many.
 */
size_t proxy_table_missing(const struct proxy_table *a,
	const struct proxy_table *b, char *text, size_t size);

/* --- the first worker's --- */

/* After a login: ask for all of them. False: the control was lost. */
bool proxy_table_open(struct proxy_table *t);

/* The control is gone: none is known to the server any more. */
void proxy_table_lost(struct proxy_table *t);

/*
 * Before leaving: take them back, also those of which the server has not said
 * what it thinks; those that it refused are not asked for again.
 */
void proxy_table_withdraw(struct proxy_table *t);

/*
 * What is not in `by` any more is taken back; what is new there is asked for,
 * if the control is `running`.
 */
void proxy_table_change(
	struct proxy_table *t, struct proxy_table *by, bool running);

#endif
