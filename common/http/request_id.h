/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names of requests: what a visitor reads on an error page is what stands in
 * the access log. No two of one series are equal, and those of two series that
 * begin at random are equal by a chance of about 2^-64.
 */

#ifndef ADIT_HTTP_REQUEST_ID_H
#define ADIT_HTTP_REQUEST_ID_H

#include <stdint.h>

/* 16 digits and a NUL. */
#define REQUEST_ID_SIZE 17

/*
 * The next name of the series, which is a thread's and begins at random; 0,
 * which is none, is left out.
 */
uint64_t request_id_next(uint64_t *series);

/* The name in lower-case hex. */
void request_id_text(uint64_t id, char out[static REQUEST_ID_SIZE]);

#endif
