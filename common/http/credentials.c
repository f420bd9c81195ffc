/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/credentials.h"

#include <string.h>

#include "common/http/head.h"

/* Behind the scheme; empty for another one. */
static struct http_text behind_basic(struct http_text value)
{
	static const char scheme[] = "Basic ";
	static const size_t n = sizeof(scheme) - 1;

	if (!text_has_prefix(value, scheme))
		return (struct http_text){ 0 };
	return text_trim((struct http_text){ value.data + n, value.len - n });
}

/* The one field of the name: 1 and its value, 0, or -400 for two. */
static int find(const struct http_head *head, const uint8_t *data, bool proxy,
	struct http_text *value_r)
{
	const char *name = proxy ? "Proxy-Authorization" : "Authorization";
	int i = head_find(head, data, name, 0);

	if (i < 0)
		return 0;
	if (head_find(head, data, name, (unsigned)i + 1) >= 0)
		return -400;
	*value_r = head_value(head, data, (unsigned)i);
	return 1;
}

static bool is_login(struct http_text said, const char *login)
{
	size_t n = strlen(login);
	uint8_t other = 0;

	if (said.len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		other |= said.data[i] ^ (uint8_t)login[i];
	return other == 0;
}

int credentials_check(const struct http_head *head, const uint8_t *data,
	bool proxy, const char *login)
{
	struct http_text value;
	int rc;

	if (!login || !*login)
		return 0;
	rc = find(head, data, proxy, &value);
	if (rc < 0)
		return rc;
	if (rc > 0 && is_login(behind_basic(value), login))
		return 0;
	return proxy ? -407 : -401;
}

struct http_text credentials_said(
	const struct http_head *head, const uint8_t *data, bool proxy)
{
	struct http_text value;

	if (find(head, data, proxy, &value) <= 0)
		return (struct http_text){ 0 };
	return behind_basic(value);
}
