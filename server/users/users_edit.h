/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A change of the file of users: usersFile, or `users` in the state directory.
 * Between the beginning and the end the directory is locked against another
 * one of us. What is wrong goes to stderr. For threads that may block.
 */

#ifndef ADIT_SERVER_USERS_USERS_EDIT_H
#define ADIT_SERVER_USERS_USERS_EDIT_H

#include <limits.h>
#include <stdbool.h>

#include "common/crypto/token.h"
#include "server/settings.h"

struct users_edit {
	char path[PATH_MAX + 8];
	char directory[PATH_MAX]; /* that it is in */
	int lock;
	bool own;          /* the directory is the state directory */
	struct conf *conf; /* of the file as it was; NULL: there was none */
	struct settings_users users;
};

/* The two secrets of a new user. Wipe it when done. */
struct users_secrets {
	char token[TOKEN_SIZE];
	char frp_token[TOKEN_SIZE]; /* "": no login of frp's kind */
};

/*
 * Find the file, by the settings, and read it; directories that are missing
 * are made. users_edit_end() is due in any case. False: it cannot be.
 */
bool users_edit_begin(
	struct users_edit *e, const struct settings *s) must_check;
void users_edit_end(struct users_edit *e);

/* Make secrets; one for frpc, too, if that is wanted. */
void users_secrets_make(struct users_secrets *s, bool frpc);

/* The user of that name, or NULL. */
const struct settings_user *users_edit_find(
	const struct users_edit *e, const char *name);

/*
 * Write the file with one more; with other secrets of one which is there, in
 * place of those of its kind, so that nobody comes in by them any more; with
 * one less. A file that has what handwriting.h finds, or would be too large to
 * be read again, stays as it is.
 */
bool users_edit_add(const struct users_edit *e, const char *name,
	const struct users_secrets *secrets) must_check;
bool users_edit_renew(struct users_edit *e, const struct settings_user *user,
	const struct users_secrets *secrets) must_check;
bool users_edit_remove(
	struct users_edit *e, const struct settings_user *user) must_check;

/* "aditd: ..." on stderr; false. */
bool users_edit_fail(const char *fmt, ...) printf_like(1, 2);

#endif
