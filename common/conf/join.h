/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The join string: all that a client needs to know of a server, in one word
 * that no shell takes apart.
 *
 *   adit://NAME:TOKEN@HOST:PORT[,HOST:PORT...]/PIN[,PIN]
 *
 * NAME is a user's ([a-z0-9][a-z0-9_-]{0,31}); one to four servers of one
 * identity, whose one or two pins are SHA-256 values as base64url. HOST is a
 * name, an IPv4 address, or an IPv6 address with "_" for ":"; brackets and
 * colons are read, too. Nothing is escaped: "%" is an error.
 */

#ifndef ADIT_CONF_JOIN_H
#define ADIT_CONF_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/compiler.h"

#define JOIN_NAME_SIZE 33
#define JOIN_TOKEN_SIZE 65
#define JOIN_HOST_SIZE 254
#define JOIN_PIN_SIZE 44
#define JOIN_SERVERS 4
#define JOIN_PINS 2

#define JOIN_SCHEME "adit://"

/* Any join string and its NUL; an error and its NUL. */
#define JOIN_TEXT_SIZE                                            \
	(sizeof(JOIN_SCHEME) + JOIN_NAME_SIZE + JOIN_TOKEN_SIZE + \
		JOIN_SERVERS * (JOIN_HOST_SIZE + 6) +             \
		JOIN_PINS * JOIN_PIN_SIZE)
#define JOIN_ERROR_SIZE 128

struct join_server {
	char host[JOIN_HOST_SIZE]; /* lower-case; IPv6 with colons, bare */
	uint16_t port;
};

/* Holds a secret: wipe it when done. */
struct join {
	char name[JOIN_NAME_SIZE];
	char token[JOIN_TOKEN_SIZE]; /* its checksum is not looked at */
	struct join_server servers[JOIN_SERVERS];
	size_t server_count;
	char pins[JOIN_PINS][JOIN_PIN_SIZE];
	size_t pin_count;
};

/* A word as it may be shown: a join string is a secret, wherever it stands. */
static inline const char *join_hide(const char *word)
{
	return strncmp(word, JOIN_SCHEME, sizeof(JOIN_SCHEME) - 1)
		       ? word
		       : "(a join string)";
}

/* Whether the text is a NAME. */
bool join_is_name(const char *text) must_check;

/*
 * Read `n` characters. 0, or -EINVAL with an error that says what is wrong
 * with which character, counted from 1, and never holds the token.
 */
int join_parse(struct join *j_r, const char *text, size_t n,
	char error[static JOIN_ERROR_SIZE]) must_check;

/* Write what join_parse reads as the same. */
void join_write(char out[static JOIN_TEXT_SIZE], const struct join *j);

void join_wipe(struct join *j);

#endif
