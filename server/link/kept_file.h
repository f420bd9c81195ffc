/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys and certificates in files of the state directory. Errors are in the log.
 * For threads that may block.
 */

#ifndef ADIT_SERVER_LINK_KEPT_FILE_H
#define ADIT_SERVER_LINK_KEPT_FILE_H

#include <limits.h>

#include "common/crypto/certificate.h"

/* The path of the file; 0 or -ENAMETOOLONG. */
int kept_path(char path[static PATH_MAX], const char *dir,
	const char *name) must_check;

/* All of it, from malloc. 0; -ENOENT without a word: there is none; -errno. */
int kept_read(const char *dir, const char *name, char **text_r,
	size_t *size_r) must_check;

/*
 * Keep the certificate, if it has a file (else NULL), and its key, which is not
 * there yet. Without the key a certificate that is there is what a start left
 * that was cut off. 0 or -errno.
 */
int kept_write(const struct certificate *c, const char *dir, const char *crt,
	const char *key) must_check;

#endif
