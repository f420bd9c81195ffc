/* SPDX-License-Identifier: Apache-2.0 */

/* A parsed head for the tests of what follows the parser. */

#ifndef ADIT_TESTS_UNIT_REQUEST_H
#define ADIT_TESTS_UNIT_REQUEST_H

#include <criterion/criterion.h>
#include <string.h>

#include "common/http/head.h"

/* Parses a complete head; returns its bytes. */
static inline const uint8_t *request_parse(
	struct http_head *head, const char *text)
{
	head_init(head);
	cr_assert_gt(head_parse(head, (const uint8_t *)text, strlen(text)), 0,
		"%s", text);
	return (const uint8_t *)text;
}

#endif
