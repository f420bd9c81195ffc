/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An invitation is the join string of one user of this server: where clients
 * reach it, by what its identity is known, and the user's token.
 */

#ifndef ADIT_SERVER_USERS_INVITATION_H
#define ADIT_SERVER_USERS_INVITATION_H

#include "common/conf/join.h"
#include "common/crypto/pin.h"

struct settings;

/*
 * In place of the servers that it names: those of publicAddr; else bindAddr;
 * where that stands for all addresses those that this machine's interfaces have
 * now, the public ones first, 127.0.0.1 if there are none.
 */
void invitation_set_servers(struct join *j, const struct settings *s);

/* In place of the pins that it names. */
void invitation_set_pins(struct join *j, const struct pin_list *pins);

/*
 * Write one with these servers and pins. 0, or -EINVAL with what is wrong in
 * `error`.
 */
int invitation_write(char out[static JOIN_TEXT_SIZE], const struct settings *s,
	const char *name, const char *token, const struct pin_list *pins,
	char error[static JOIN_ERROR_SIZE]) must_check;

#endif
