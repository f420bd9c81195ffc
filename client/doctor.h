/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit doctor: looks at each step of the way to the server, and at the local
 * services, and says in a line each what is there and what to do about it. It
 * logs in once, without proxies, as nobody that runs already: an adit that
 * does is not disturbed. No secret is shown. For the main thread: it waits.
 */

#ifndef ADIT_CLIENT_DOCTOR_H
#define ADIT_CLIENT_DOCTOR_H

#include "client/settings.h"

/*
 * `source` is what the settings come from; `note` is to be warned of, or "".
 * 0: nothing is wrong, or 1.
 */
int doctor_run(const struct settings *s, const char *source, const char *note,
	FILE *out);

/* The settings cannot be read, for these reasons; returns 1. */
int doctor_refuse(
	const struct conf_errors *errors, const char *source, FILE *out);

#endif
