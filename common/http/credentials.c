/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/credentials.h"

#include <string.h>

#include "common/http/head.h"

/* Whether the value is `Basic` and this login. */
static bool is_login(struct http_text value, const char *login)
{
	static const size_t scheme = sizeof("Basic ") - 1;
	size_t n = strlen(login);
	uint8_t other = 0;

	if (value.len < scheme ||
		!text_equal((struct http_text){ value.data, scheme }, "Basic "))
		return false;
	value = text_trim(
		(struct http_text){ value.data + scheme, value.len - scheme });
	if (value.len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		other |= value.data[i] ^ (uint8_t)login[i];
	return other == 0;
}

int credentials_check(const struct http_head *head, const uint8_t *data,
	bool proxy, const char *login)
{
	const char *name = proxy ? "Proxy-Authorization" : "Authorization";
	int i;

	if (!login || !*login)
		return 0;
	i = head_find(head, data, name, 0);
	if (i >= 0 && head_find(head, data, name, (unsigned)i + 1) >= 0)
		return -400;
	if (i >= 0 && is_login(head_value(head, data, (unsigned)i), login))
		return 0;
	return proxy ? -407 : -401;
}
