/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The users of a configuration: the rows of one, the file that usersFile
 * names, and what is checked about them all.
 */

#ifndef ADIT_SERVER_USERS_SETTINGS_USERS_H
#define ADIT_SERVER_USERS_SETTINGS_USERS_H

#include "common/conf/conf.h"

#define SETTINGS_USER_KEYS 4

/* Bits of `types`. */
enum settings_user_type {
	SETTINGS_TYPE_TCP = 1,
	SETTINGS_TYPE_HTTP = 2,
	SETTINGS_TYPE_HTTPS = 4,
};

/* Of maxClockSkew and loginWindow, in place of seconds. */
enum settings_skew {
	SETTINGS_SKEW_DEFAULT = 0,
	SETTINGS_SKEW_ANY = -1,
};

struct settings_user {
	const char *name;
	struct conf_strings keys;    /* public keys, base64url */
	const char *frp_token;       /* "": no login of frp's kind */
	struct conf_strings domains; /* none: any that nobody else has */
	struct conf_ranges ports;    /* the same */
	int types;                   /* enum settings_user_type; 0: all */
	int64_t max_proxies;         /* 0: no limit */
	int64_t max_visitors;        /* the same */
	int64_t max_rate;            /* the same */
	const char *bandwidth;       /* see bandwidth.h; "": no limit */
	int64_t max_skew_s;          /* or enum settings_skew */
	const char *expires;         /* "": never */
	bool disabled;
};

struct settings_users {
	size_t n;
	struct settings_user *v;
};

/* What a file of users has. */
struct settings_users_file {
	struct settings_users users;
};

extern const struct conf_table settings_user_table, settings_users_file;
extern const struct conf_choices settings_windows;

/*
 * What is wrong with the users that the conf's file gave under "users" goes
 * to `errors`.
 */
void settings_users_check(struct conf *conf, struct conf_errors *errors,
	const struct settings_users *users);

/*
 * Read a file of users: the key `users` and nothing else. 0 with a conf that
 * owns them; -EINVAL (-errno if the file cannot be read) with the reasons in
 * `errors`; -ENOMEM.
 */
int settings_users_load(struct conf **conf_r,
	const struct settings_users **users_r, const char *file,
	struct conf_errors *errors) must_check;

/*
 * When the user expires, in Unix seconds; INT64_MAX: never. False: the text is
 * no date or date-time of RFC 3339. A date stands for the end of its day, UTC.
 */
bool settings_expiry(const char *text, int64_t *when_r) must_check;

#endif
