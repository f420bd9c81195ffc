/* SPDX-License-Identifier: Apache-2.0 */

/* The protocols that are offered, and the one that is taken. */
// links: common/http/upgrade.c common/http/head.c common/http/text.c

#include "common/http/upgrade.h"

#include <stdio.h>

#include "tests/unit/request.h"

#define START "GET / HTTP/1.1\r\nHost: a\r\n"
#define TEN "0123456789"

static const struct {
	const char *fields, *list; /* "": no offer */
} rows[] = {
	{ "", "" },
	{ "Upgrade: websocket\r\n", "websocket" },
	{ "Upgrade: WebSocket\r\n", "WebSocket" },
	{ "Upgrade: h2c, websocket\r\n", "websocket" },
	{ "Upgrade: h2c\r\n", "" },
	{ "Upgrade: h2\r\n", "" },
	{ "Upgrade: HTTP/2.0, H2C, TLS/1.0\r\n", "TLS/1.0" },
	{ "Upgrade: tcp\r\nUpgrade: ,SPDY/3.1 ,\r\n", "tcp, SPDY/3.1" },
	{ "Upgrade: a b\r\n", "" },
	{ "Upgrade: websocket, a/b/c\r\n", "" },
	{ "Upgrade: /1\r\n", "" },
	{ "Upgrade: a/\r\n", "" },
	{ "Upgrade: " TEN TEN TEN TEN TEN TEN TEN "012345678\r\n",
		TEN TEN TEN TEN TEN TEN TEN "012345678" },
	{ "Upgrade: " TEN TEN TEN TEN TEN TEN TEN TEN "\r\n", "" },
};

Test(upgrade, offers)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300], list[UPGRADE_SIZE];
		struct http_head head;
		const uint8_t *data;

		snprintf(text, sizeof(text), START "%s\r\n", rows[i].fields);
		data = request_parse(&head, text);
		cr_assert_eq(
			upgrade_list(&head, data, list), *rows[i].list != '\0');
		cr_assert_str_eq(list, rows[i].list);
	}
}

static bool takes(const char *fields, const char *list)
{
	char text[300];
	struct http_head head;
	int n = snprintf(
		text, sizeof(text), "HTTP/1.1 101 Yes\r\n%s\r\n", fields);

	head_init_response(&head);
	cr_assert_eq(head_parse(&head, (uint8_t *)text, (size_t)n), n);
	return upgrade_takes(&head, (uint8_t *)text, list);
}

Test(upgrade, takes)
{
	cr_assert(takes("Upgrade: websocket\r\n", "websocket"));
	cr_assert(takes("Upgrade: WebSocket\r\n", "tcp, websocket"));
	cr_assert_not(takes("Upgrade: tcp\r\n", "websocket"));
	cr_assert_not(takes("", "websocket"));
	cr_assert_not(takes("Upgrade: tcp, websocket\r\n", "tcp, websocket"));
	cr_assert_not(takes("Upgrade: h2c\r\n", "h2c"));
	cr_assert_not(takes("Upgrade: websocket\r\n", ""));
}
