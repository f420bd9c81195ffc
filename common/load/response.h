/* SPDX-License-Identifier: Apache-2.0 */

/*
 * As much of an HTTP/1.1 response as a load generator needs: where it ends.
 * The body's length is Content-Length, or the end of the connection.
 */

#ifndef ADIT_LOAD_RESPONSE_H
#define ADIT_LOAD_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#define RESPONSE_HEAD_MAX 4096

enum response_state {
	RESPONSE_HEAD, /* zeroed */
	RESPONSE_BODY,
	RESPONSE_DONE,
	RESPONSE_BAD, /* no response, or a head that is too long */
};

struct response {
	uint64_t left; /* of the body; UINT64_MAX: until the end */
	uint16_t status;
	uint16_t size; /* of the head so far */
	uint8_t state; /* enum response_state */
	bool close;    /* the server closes after it */
	char head[RESPONSE_HEAD_MAX];
};

/* For the next one. */
void response_reset(struct response *r);

/* Take bytes in; how many belong to this response. */
uint32_t response_take(struct response *r, const uint8_t *bytes, uint32_t n);

/* The connection has ended; whether the response is complete. */
bool response_ended(struct response *r);

#endif
