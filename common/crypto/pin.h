/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pin: what a client knows of a server's key, the SHA-256 of its DER
 * SubjectPublicKeyInfo; as text 43 characters of Base64 for URLs. Any thread.
 */

#ifndef ADIT_CRYPTO_PIN_H
#define ADIT_CRYPTO_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

#define PIN_BYTES 32
#define PIN_SIZE 44 /* as text, with the NUL */
#define PINS_MAX 2  /* that a client may hold: a key and the next one */

struct pin {
	uint8_t bytes[PIN_BYTES];
};

/* What a server may be known by: its key, and the next one. */
struct pin_list {
	size_t n;
	struct pin v[PINS_MAX];
};

/* The pin of a certificate in DER; 0, or -EINVAL: it is none. */
int pin_of_certificate(
	struct pin *p, const uint8_t *der, size_t size) must_check;

void pin_write(char out[static PIN_SIZE], const struct pin *p);

/* Of exactly `n` characters; 0 or -EINVAL. One pin has one spelling. */
int pin_parse(struct pin *p, const char *text, size_t n) must_check;

bool pin_equal(const struct pin *a, const struct pin *b);

/* Whether `p` is one of `n`. */
bool pin_listed(const struct pin *list, size_t n, const struct pin *p);

#endif
