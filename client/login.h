/* SPDX-License-Identifier: Apache-2.0 */

/* What a Login says: who this client is, by what proof, and what it can do. */

#ifndef ADIT_CLIENT_LOGIN_H
#define ADIT_CLIENT_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/login.h"

struct client;
struct control;

/* What this client can do beyond frp: enum capability, or-ed. */
unsigned login_offered(const struct client *c);

/* frp's login key for now, and when that is. */
void login_sign(const struct client *c, char key[static LOGIN_KEY_SIZE],
	int64_t *timestamp_r);

/*
 * Whether the login is a signature: the server has shown who it is, so that it
 * can be shown who we are.
 */
bool login_is_proven(const struct control *k);

/* Send Login on the control's channel; false: it is too long. */
bool login_send(struct control *k);

/* Warn, once, if whoever is in between could be the server. */
void login_warn(struct control *k);

#endif
