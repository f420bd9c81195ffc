/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What differs between two configurations of one table. Of a program that runs
 * there are three: the one that it was started with, whose values of the keys
 * without CONF_RELOAD it goes by to its end; the one that it goes by now; and
 * the one that a reload has read.
 */

#ifndef ADIT_CONF_CHANGE_H
#define ADIT_CONF_CHANGE_H

#include <stdio.h>

#include "common/conf/conf.h"

/* Rows of a table. */
#define CONF_CHANGES_MAX 160

struct conf_changes {
	size_t now_count, later_count;
	/* Of the table: with CONF_RELOAD, and without. */
	const struct conf_row *now[CONF_CHANGES_MAX];
	const struct conf_row *later[CONF_CHANGES_MAX];
};

/*
 * Which keys `after` has otherwise than `now` (those with CONF_RELOAD), and
 * than `start` (the others). A key that neither file gives has not changed,
 * whatever was made of its default since.
 */
void conf_changes_find(struct conf_changes *c, const struct conf *start,
	const struct conf *now, const struct conf *after);

/*
 * Let `after` say what `start` says of the keys without CONF_RELOAD. Its values
 * are not copied: `start` is to be held as long as `after`.
 */
void conf_changes_keep(const struct conf *start, const struct conf *after);

/* Whether two structs of the table say the same. */
bool conf_is_same(const struct conf_table *t, const void *a, const void *b);

#define CONF_CHANGES_NOW "changed: "
#define CONF_CHANGES_LATER "needs a restart: "

/*
 * Two lines, of which one may be missing, each with its line feed: the keys,
 * behind the texts above; or "nothing has changed".
 */
void conf_changes_print(const struct conf_changes *c, FILE *out);

/* The keys with CONF_RELOAD, in lines of a help text. */
void conf_reloads_print(const struct conf_table *t, FILE *out);

#endif
