/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Secrets that a file of their own holds.
 */

#ifndef ADIT_CONF_SECRET_H
#define ADIT_CONF_SECRET_H

#include "common/conf/conf.h"

#define CONF_SECRET_MAX 4096

/*
 * The content of `file` without white space at both ends, a string of the
 * conf: not empty, at most CONF_SECRET_MAX bytes, no control characters. 0,
 * or -errno with the reason as a text in *reason_r (static).
 */
int conf_secret_read(struct conf *conf, const char *file, const char **secret_r,
	const char **reason_r) must_check;

/*
 * The rules of auth.token and auth.tokenSource: not both are given, a source
 * has its file. Reads the file into *token when there is one. What is wrong
 * goes to `errors`, then -EINVAL; or -ENOMEM.
 */
int conf_secret_token(struct conf *conf, struct conf_errors *errors, int source,
	const char *file, const char **token) must_check;

#endif
