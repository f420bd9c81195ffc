/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client and a server of TLS over arrays, for the tests of what concerns
 * both. What one seals is shown to the other in blocks of exactly their size.
 */

#ifndef ADIT_TESTS_TLS_PAIR_H
#define ADIT_TESTS_TLS_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/tls.h"

struct peer {
	struct transform *t;
	ssize_t result; /* 0, or of its first failure */
	uint8_t *got;   /* what was opened for it */
	size_t got_n;
	uint8_t *wire; /* what it has sealed, and was not shown yet */
	size_t wire_n;
	size_t sealed; /* bytes in all */
};

struct pair {
	struct peer client, server;
	size_t piece; /* bytes shown in one call; 0: all */
	size_t room;  /* bytes of the spans for output; 0: 64 KiB */
};

/* Both by the given contexts, which stay the caller's. */
void pair_init(struct pair *p, struct tls_context *client,
	struct tls_context *server, const char *name,
	struct tls_sessions *kept);
void pair_free(struct pair *p);

/* Seal n bytes, and what else there is to say, onto its wire. */
void pair_seal(struct pair *p, struct peer *from, const void *data, size_t n);

/* Show what `from` has on its wire to `to`. */
void pair_show(struct pair *p, struct peer *from, struct peer *to);

/* Pass words to and fro until nobody has any more; whether both are open. */
bool pair_shake(struct pair *p);

/* From the client to the server and back: whether it arrives as it was. */
bool pair_echo(struct pair *p, size_t n);

/* A file with that text, for the test's time; its name. */
const char *pair_file(const char *text);

/* Contexts that must come to be. */
struct tls_context *pair_server_context(
	const char *chain, const char *key, const char *trusted, bool adit);
struct tls_context *pair_client_context(const struct tls_client_terms *terms);

#endif
