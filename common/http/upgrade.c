/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/upgrade.h"

#include "common/http/head.h"

/* A token, or two with a slash between them. */
static bool is_protocol(struct http_text text)
{
	const uint8_t *slash = memchr(text.data, '/', text.len);
	size_t name;

	if (!slash)
		return text_is_token(text);
	name = (size_t)(slash - text.data);
	return text_is_token((struct http_text){ text.data, name }) &&
	       text_is_token(
		       (struct http_text){ slash + 1, text.len - name - 1 });
}

static bool is_http(struct http_text text)
{
	return text_equal(text, "h2c") || text_equal(text, "h2") ||
	       text_has_prefix(text, "http");
}

/* Behind what is written; false: no room. */
static bool append(char list[static UPGRADE_SIZE], struct http_text text)
{
	size_t n = strlen(list), comma = n > 0 ? 2 : 0;

	if (n + comma + text.len >= UPGRADE_SIZE)
		return false;
	memcpy(list + n, ", ", comma);
	memcpy(list + n + comma, text.data, text.len);
	list[n + comma + text.len] = '\0';
	return true;
}

static bool gather(const struct http_head *head, const uint8_t *data,
	char list[static UPGRADE_SIZE])
{
	int i = head_find(head, data, "Upgrade", 0);

	for (; i >= 0; i = head_find(head, data, "Upgrade", (unsigned)i + 1)) {
		struct http_text rest = head_value(head, data, (unsigned)i);
		struct http_text member;

		while (text_list_next(&rest, &member)) {
			if (member.len == 0 || is_http(member))
				continue;
			if (!is_protocol(member) || !append(list, member))
				return false;
		}
	}
	return *list;
}

bool upgrade_list(const struct http_head *head, const uint8_t *data,
	char list[static UPGRADE_SIZE])
{
	list[0] = '\0';
	if (gather(head, data, list))
		return true;
	list[0] = '\0';
	return false;
}

bool upgrade_takes(
	const struct http_head *head, const uint8_t *data, const char *list)
{
	struct http_text rest = text_of(list), member;
	char taken[UPGRADE_SIZE];

	if (!upgrade_list(head, data, taken))
		return false;
	while (text_list_next(&rest, &member))
		if (text_equal(member, taken))
			return true;
	return false;
}
