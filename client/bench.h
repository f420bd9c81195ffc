/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit bench: how fast the way through the user's own server is. A built-in
 * echo service is published as a tcp proxy, and the load generator visits it
 * by its public address, from this machine: nothing else is sent anything.
 */

#ifndef ADIT_CLIENT_BENCH_H
#define ADIT_CLIENT_BENCH_H

#include "client/settings.h"

struct bench_params {
	int64_t seconds;     /* of each part */
	int64_t connections; /* of the parts with many */
	const char *json;    /* a file for the numbers, "-": stdout; or NULL */
};

/*
 * Run adit with the settings, to which the proxy is added, until all is
 * measured and printed; the program's exit code.
 */
int bench_run(struct settings *s, const struct bench_params *p);

#endif
