/* SPDX-License-Identifier: Apache-2.0 */

/* PEM files as memory, and the certificates in them; for this room. */

#ifndef ADIT_CRYPTO_PEM_H
#define ADIT_CRYPTO_PEM_H

#include "common/crypto/certificate.h"

#define PEM_FILE_MAX (1024 * 1024)

/*
 * Read a file; the text is the caller's, for pem_free(). 0, or -errno with a
 * sentence in `error`. May block.
 */
int pem_load(struct pem *p, const char *file,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/* The text is wiped. */
void pem_free(struct pem *p);

/* Who is shown each certificate in DER; < 0 ends the reading. */
typedef int pem_take(void *arg, const uint8_t *der, size_t size);

/*
 * Show all certificates of the text, in their order. How many there were, or
 * what `take` said, or -EINVAL: one of them is damaged.
 */
int pem_certificates(const struct pem *p, pem_take *take, void *arg) must_check;

#endif
