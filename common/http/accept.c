/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/accept.h"

#include "common/http/head.h"

/* Takes the next part off the text, up to a semicolon. */
static struct http_text next_part(struct http_text *rest)
{
	const uint8_t *end = memchr(rest->data, ';', rest->len);
	size_t n = end ? (size_t)(end - rest->data) : rest->len;
	struct http_text part = { rest->data, n };

	n += end ? 1 : 0;
	rest->data += n;
	rest->len -= n;
	return text_trim(part);
}

/* A parameter that says: by no means. */
static bool is_no(struct http_text part)
{
	if (part.len < 3 || text_lower(part.data[0]) != 'q' ||
		part.data[1] != '=')
		return false;
	for (size_t i = 2; i < part.len; i++)
		if (part.data[i] != '0' && part.data[i] != '.')
			return false;
	return true;
}

static bool names(struct http_text range, const char *type)
{
	if (!range.len || !text_equal(next_part(&range), type))
		return false;
	while (range.len)
		if (is_no(next_part(&range)))
			return false;
	return true;
}

bool accept_names(
	const struct http_head *head, const uint8_t *data, const char *type)
{
	int i = -1;

	while ((i = head_find(head, data, "Accept", (unsigned)(i + 1))) >= 0) {
		struct http_text rest = head_value(head, data, (unsigned)i);
		struct http_text range;

		while (text_list_next(&rest, &range))
			if (names(range, type))
				return true;
	}
	return false;
}
