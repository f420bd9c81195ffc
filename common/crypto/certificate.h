/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A certificate with its chain and its private key: read from PEM, or made
 * here. What is made is ECDSA P-256, signed by itself and valid from 2000 to
 * 9999, so that no clock breaks it. Immutable; its memory is wiped. Any
 * thread, though making and reading take milliseconds and may block.
 */

#ifndef ADIT_CRYPTO_CERTIFICATE_H
#define ADIT_CRYPTO_CERTIFICATE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/compiler.h"
#include "common/crypto/pin.h"

struct certificate;

/* The sentence of a failure: which file, what is wrong, what to do. */
#define CERTIFICATE_ERROR_SIZE 256

/* The text of a PEM file, and what errors are to call it. */
struct pem {
	const char *text;
	size_t size;
	const char *name;
};

/*
 * A new key with a certificate for `n` DNS names or IP addresses; NULL: no
 * memory, or a name that is longer than 253 characters or not ASCII.
 */
struct certificate *certificate_make(
	const char *const *names, size_t n) must_check;

/* A key that was written before, with a new certificate for no name: its pin
 * is as it was. Only P-256 will do. NULL: see `error`. */
struct certificate *certificate_read_key(const struct pem *key,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/* A certificate, followed by those that lead to its authority, and its key.
 * NULL: see `error`. */
struct certificate *certificate_read(const struct pem *chain,
	const struct pem *key,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/* The same from two files. */
struct certificate *certificate_load(const char *chain_file,
	const char *key_file,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

void certificate_free(struct certificate **c);

/* As PEM with a NUL: how long it is without, or -ENOSPC, or -ENOMEM. */
ssize_t certificate_write(
	const struct certificate *c, char *out, size_t size) must_check;
ssize_t certificate_write_key(
	const struct certificate *c, char *out, size_t size) must_check;

void certificate_pin(const struct certificate *c, struct pin *p);

#endif
