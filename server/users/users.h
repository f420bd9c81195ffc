/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of users: who may log in, with what, and what they may publish.
 * Made from the settings, or from a file that the main thread looks at once a
 * second; a change is a new table, sent to the workers in letters. A table is
 * not changed any more and freed by who drops it last: the main thread holds
 * the newest, each worker the one that it goes by, each control the one that
 * its own record is in. How much a user has of what is limited outlives the
 * table.
 */

#ifndef ADIT_SERVER_USERS_USERS_H
#define ADIT_SERVER_USERS_USERS_H

#include <stdatomic.h>

#include "common/base/file_stamp.h"
#include "common/conf/join.h"
#include "common/crypto/cipher.h"
#include "common/crypto/login_proof.h"
#include "server/users/settings_users.h"
#include "server/users/user_load.h"

struct server;
struct settings;

/* How often the main thread looks. */
#define USERS_PERIOD CLOCK_SECOND

/* Words of 64 bits that the longest name takes (join.h). */
#define USERS_NAME_WORDS ((JOIN_NAME_SIZE - 1) / 8)

/* As it is looked up: the bytes, zeros behind them, and a hash of them. */
struct user_key {
	uint64_t hash, words[USERS_NAME_WORDS];
};

struct user {
	struct user_key name;
	const struct settings_user *says; /* its record */
	struct user_load *load;           /* held */
	struct cipher_key frp_key;        /* of its frpToken */
	uint8_t keys[SETTINGS_USER_KEYS][PROOF_PUBLIC_SIZE];
	size_t key_count;
	char **domains;  /* normalised, says->domains.n of them */
	int64_t expires; /* Unix seconds; INT64_MAX: never */
};

/* One domain of one user's list. */
struct listing {
	const char *domain; /* normalised */
	const struct user *user;
};

struct users {
	_Atomic uint32_t holders;
	struct conf *conf; /* held: owns the records; NULL: they outlive us */
	struct listing *listings; /* by their domains */
	size_t listing_count;
	size_t count;
	struct user list[]; /* by the hashes of their names */
};

/*
 * A table of these users, held once; what `old` (may be NULL) knows of their
 * loads stays, and is under the new limits of bandwidth at once. The conf,
 * which owns them, is taken over, also without memory: then NULL is returned.
 */
struct users *users_make(const struct settings_users *says, struct conf *conf,
	const struct users *old) must_check;

/* Any thread. NULL is accepted. */
struct users *users_hold(struct users *t);
void users_drop(struct users **t);

/* The user of that name, or NULL; NULL in a table that is NULL. */
const struct user *users_find(const struct users *t, const char *name);

/*
 * The same for who must not learn, by the time that it takes, whether there is
 * such a user: else it is another one, the same for the same name, whose
 * record is to be looked at as much. NULL: there are no users at all.
 */
const struct user *users_find_evenly(
	const struct users *t, const char *name, bool *known_r);

/* The same, whose name the proxy's begins with, and a dot. */
const struct user *users_find_by_proxy(
	const struct users *t, const char *proxy);

static inline const char *user_name(const struct user *u)
{
	return u->says->name;
}

/* Whether it may be in at this time (Unix seconds). */
bool user_is_active(const struct user *u, int64_t now);

/* Whether the public key is one of its. */
bool user_has_key(
	const struct user *u, const uint8_t key[static PROOF_PUBLIC_SIZE]);

/* One proxy more, or false at the user's limit. */
bool user_take_proxy(const struct user *u) must_check;

/*
 * One visitor more at this time (clock.h), or false: too many at once, or a
 * second.
 */
bool user_take_visitor(const struct user *u, int64_t now) must_check;

/* --- the main thread's --- */

struct users_source {
	char *path;             /* owned; NULL: there is no file */
	struct users *users;    /* the newest; held; NULL: there are none */
	struct file_stamp seen; /* of the file when it was read */
	int64_t due;            /* when to look again (clock.h) */
	int64_t expiry;         /* when the next one expires (Unix seconds) */
	bool warned;            /* that it cannot be read now */
};

/*
 * Nobody is to publish on a machine of ours who has not been asked: 0, or
 * -EINVAL with an error where nobody is, though others than this machine are
 * served.
 */
int users_guard(
	const struct settings *s, struct conf_errors *errors) must_check;

/*
 * The users that the settings give: in themselves, in the file that they
 * name, or in `users` in the state directory if it is there. What `old` (may be
 * NULL) knows of their loads stays. Nobody is told of them. 0, or -errno with
 * what is wrong in `errors`, or -ENOMEM.
 */
int users_open(struct users_source *f, const struct settings *s,
	const struct users *old, struct conf_errors *errors) must_check;

/* Whether they say the same of the same users; none are none, in a file too. */
bool users_are_same(const struct users_source *a, const struct users_source *b);

/* A line of the log: how many there are, and from where; none without any. */
void users_tell(const struct users_source *f);

/* Others, which are taken over, are the ones; the workers are told. */
void users_replace(
	struct users_source *f, struct users_source *by, struct server *s);

/*
 * Look at the file if that is due, and tell the server's workers of a change,
 * or that a user has expired. A file that cannot be read leaves the users as
 * they are, with one warning. Returns in how many ms to look again, -1: never.
 */
int users_look(struct users_source *f, struct server *s);

void users_close(struct users_source *f);

#endif
