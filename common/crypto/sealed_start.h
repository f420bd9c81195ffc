/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A start on a work connection without TLS is sealed: else someone on the path
 * could name another proxy in it, and lead a visitor into another service.
 * ChaCha20-Poly1305 (RFC 8439) under a key of the connection's ticket; the
 * nonce is the number of the start on that connection.
 */

#ifndef ADIT_CRYPTO_SEALED_START_H
#define ADIT_CRYPTO_SEALED_START_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/compiler.h"
#include "common/crypto/ticket.h"

/* What sealing adds. */
#define START_SEAL_SIZE 16

/* The key of one work connection. Wipe it when done. */
struct start_key {
	uint8_t bytes[32];
	uint8_t ticket[TICKET_SIZE];
};

void start_key_derive(struct start_key *key, const struct session_key *k,
	const uint8_t ticket[static TICKET_SIZE]);

void start_key_wipe(struct start_key *key);

/*
 * Seal n bytes as start `number` (0, 1, ... on a connection: never the same
 * twice) into `out`, which has n + START_SEAL_SIZE bytes and is not `in`.
 */
void start_seal(uint8_t *out, const struct start_key *key, uint64_t number,
	const void *in, size_t n);

/*
 * Open a box of n bytes into `out`, of n bytes. How many bytes were sealed, or
 * -1: somebody has changed it, or it is of another start or connection.
 */
ssize_t start_open(uint8_t *out, const struct start_key *key, uint64_t number,
	const void *box, size_t n) must_check;

#endif
