/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void response_reset(struct response *r)
{
	r->left = 0;
	r->status = r->size = 0;
	r->state = RESPONSE_HEAD;
	r->close = false;
}

/* The head is complete, and ends with a NUL in place of its last newline. */
static void read_head(struct response *r)
{
	char *line = r->head, *next;
	int status;

	r->state = RESPONSE_BAD;
	if (sscanf(line, "HTTP/1.1 %3d", &status) != 1 || status < 100)
		return;
	r->status = (uint16_t)status;
	r->left = UINT64_MAX;
	while ((next = strchr(line, '\n'))) {
		line = next + 1;
		if (!strncasecmp(line, "content-length:", 15))
			r->left = strtoull(line + 15, NULL, 10);
		else if (!strncasecmp(line, "connection: close", 17))
			r->close = true;
	}
	if (status < 200 || status == 204 || status == 304)
		r->left = 0;
	r->state = r->left == 0 ? RESPONSE_DONE : RESPONSE_BODY;
	if (r->left == UINT64_MAX)
		r->close = true;
}

uint32_t response_take(struct response *r, const uint8_t *bytes, uint32_t n)
{
	uint32_t used = 0;

	while (used < n && r->state == RESPONSE_HEAD) {
		r->head[r->size++] = (char)bytes[used++];
		if (r->size >= 4 &&
			!memcmp(r->head + r->size - 4, "\r\n\r\n", 4)) {
			r->head[r->size - 1] = '\0';
			read_head(r);
		} else if (r->size == RESPONSE_HEAD_MAX) {
			r->state = RESPONSE_BAD;
		}
	}
	if (r->state == RESPONSE_BODY && used < n) {
		uint64_t more = n - used;

		if (r->left == UINT64_MAX)
			return n;
		more = more < r->left ? more : r->left;
		r->left -= more;
		used += (uint32_t)more;
		if (r->left == 0)
			r->state = RESPONSE_DONE;
	}
	return used;
}

bool response_ended(struct response *r)
{
	if (r->state == RESPONSE_BODY && r->left == UINT64_MAX)
		r->state = RESPONSE_DONE;
	return r->state == RESPONSE_DONE;
}
