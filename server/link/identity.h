/* SPDX-License-Identifier: Apache-2.0 */

/*
 * By what adit knows the server: a key that is made once, in identity.key of
 * the state directory, and the one that will take its place, in identity.next,
 * while there is one. Clients are told both, so that they go along. Errors are
 * in the log. For threads that may block.
 */

#ifndef ADIT_SERVER_LINK_IDENTITY_H
#define ADIT_SERVER_LINK_IDENTITY_H

#include "common/crypto/certificate.h"

struct identity {
	struct certificate *now;  /* owned */
	struct certificate *next; /* owned; NULL: none */
};

/*
 * Read it, or make it. `dir` NULL: it lasts as long as the process. A directory
 * that has lost its identity is refused: it would be another server. 0, -errno
 */
int identity_open(struct identity *id, const char *dir) must_check;

/* Read it; -ENOENT without a word: there is none. 0, -errno */
int identity_read(struct identity *id, const char *dir) must_check;

void identity_close(struct identity *id);

struct pin_list identity_pins(const struct identity *id);

/* The pins of the identity in the directory, which is made if need be. */
int identity_look(const char *dir, struct pin_list *pins) must_check;

/* Make the next one; -EEXIST, with a word in the log: there is one. */
int identity_make_next(const char *dir) must_check;

/* The next one takes the place; 0 or -errno. */
int identity_activate(const char *dir) must_check;

#endif
