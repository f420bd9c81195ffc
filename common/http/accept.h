/* SPDX-License-Identifier: Apache-2.0 */

/* What kind of answer a visitor reads. Source: RFC 9110, section 12.5.1. */

#ifndef ADIT_HTTP_ACCEPT_H
#define ADIT_HTTP_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

struct http_head;

/*
 * Whether an Accept field of a complete head names this media type itself, as
 * browsers do for text/html: ranges do not count, nor does a weight of zero.
 */
bool accept_names(
	const struct http_head *head, const uint8_t *data, const char *type);

#endif
