/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One table of all names in use, of every kind, and who holds each.
 */

#ifndef ADIT_SERVER_REGISTRY_NAMES_H
#define ADIT_SERVER_REGISTRY_NAMES_H

#include <stdbool.h>

#include "common/base/compiler.h"

enum name_kind {
	NAME_OF_CONTROL = 'c', /* a run id */
	NAME_OF_CLIENT = 'i',  /* a user and a client id */
	NAME_OF_PROXY = 'p',
	NAME_OF_PLACE = 'h',     /* a host, a user and a location */
	NAME_OF_TLS_PLACE = 's', /* the same, of https */
	NAME_OF_GROUP = 'g',
	NAME_OF_PORT = 't' /* decimal */
};

struct name;

/* All zero is empty. */
struct names {
	struct name *table;
};

/* Who holds the name, or NULL. */
void *names_find(const struct names *n, enum name_kind kind, const char *text);

/* A name that nobody holds; false without memory. */
bool names_add(struct names *n, enum name_kind kind, const char *text,
	void *holder) must_check;

/* Give the name up if it is this holder's. */
void names_drop(struct names *n, enum name_kind kind, const char *text,
	const void *holder);

/* Hand it over to the heir if it is this holder's. */
void names_hand(struct names *n, enum name_kind kind, const char *text,
	const void *holder, void *heir);

/* Call `visit` for who holds a name of the kind, once for each. */
void names_each(const struct names *n, enum name_kind kind,
	void (*visit)(void *holder, void *arg), void *arg);

void names_clear(struct names *n);

#endif
