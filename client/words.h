/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A name of two words, such as calm-fox, for who asks for none: the same one
 * for the same service of the same user, and others in turn.
 */

#ifndef ADIT_CLIENT_WORDS_H
#define ADIT_CLIENT_WORDS_H

#include <stdint.h>

#define WORDS_SIZE 24

/* Names that are tried, one after the other, when others have them. */
#define WORDS_TURNS 6

/* The name of that turn, from 0 on; `host` and `port` are the service's. */
void words_make(char out[static WORDS_SIZE], const char *user, const char *host,
	uint16_t port, unsigned turn);

#endif
