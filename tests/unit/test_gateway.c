/* SPDX-License-Identifier: Apache-2.0 */

/* What is said to a proxy on the way, and what of its answers is believed. */
// links: client/gateway.c common/base/address.c common/crypto/base64.c
// libs: boringssl

#include "client/gateway.h"

#include <criterion/criterion.h>
#include <string.h>

static struct gateway g;
static struct gateway_talk t;

static int parse(const char *url)
{
	const char *reason = NULL;
	int result = gateway_parse(&g, url, &reason);

	cr_assert(reason);
	return result;
}

Test(gateway, reads_urls)
{
	cr_assert_eq(parse("http://proxy.test:3128"), 0);
	cr_assert_eq(g.kind, GATEWAY_HTTP);
	cr_assert_str_eq(g.host, "proxy.test");
	cr_assert_eq(g.port, 3128);
	cr_assert_str_eq(g.user, "");
	cr_assert_eq(parse("SOCKS5://me%40x:p%3a:w@[::1]:1080/"), 0);
	cr_assert_eq(g.kind, GATEWAY_SOCKS5);
	cr_assert_str_eq(g.host, "::1");
	cr_assert_str_eq(g.user, "me@x");
	cr_assert_str_eq(g.password, "p::w");
}

Test(gateway, refuses_urls)
{
	static const char *const bad[] = { "", "proxy:1", "http://", "http://h",
		"http://h:0", "http://h:99999", "http://h:1/x", "https://h:1",
		"ntlm://h:1", "http://u%4@h:1", "http://u%zz@h:1",
		"http://%00@h:1", "http://u:%@h:1" };
	char url[1000] = "http://";

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_lt(parse(bad[i]), 0, "%s", bad[i]);
	memset(url + 7, 'u', 300);
	strcpy(url + 307, "@h:1");
	cr_assert_lt(parse(url), 0);
}

Test(gateway, is_not_for_this_machine)
{
	cr_assert(gateway_is_for("server.test", NULL));
	cr_assert(gateway_is_for("server.test", "other.test,rver.test"));
	cr_assert(gateway_is_for("10.0.0.1", ""));
	cr_assert_not(gateway_is_for("127.0.0.9", NULL));
	cr_assert_not(gateway_is_for("localhost", NULL));
	cr_assert_not(gateway_is_for("0.0.0.0", NULL));
	cr_assert_not(gateway_is_for("::1", NULL));
	cr_assert_not(gateway_is_for("server.test", "a, server.test"));
	cr_assert_not(gateway_is_for("a.Server.test", ".server.test"));
	cr_assert_not(gateway_is_for("server.test", "*"));
}

static enum gateway_step hear(const void *bytes, size_t n)
{
	return gateway_received(&t, bytes, n);
}

static void assert_out(const void *bytes, size_t n)
{
	cr_assert_eq(t.out_size, n);
	cr_assert(!memcmp(t.out, bytes, n));
}

Test(gateway, connects_by_http)
{
	static const char ask[] = "CONNECT server.test:7000 HTTP/1.1\r\n"
				  "Host: server.test:7000\r\n"
				  "Proxy-Authorization: Basic bWU6cHc=\r\n"
				  "\r\n";
	static const char yes[] = "HTTP/1.1 200 Connection established\r\n"
				  "Via: x\r\n\r\n";

	cr_assert_eq(parse("http://me:pw@proxy:1"), 0);
	gateway_begin(&t, &g, "server.test", 7000);
	assert_out(ask, sizeof(ask) - 1);
	for (size_t i = 0; i < sizeof(yes) - 2; i++)
		cr_assert_eq(hear(yes + i, 1), GATEWAY_AWAIT);
	cr_assert_eq(hear("\n", 1), GATEWAY_THROUGH);
}

Test(gateway, refuses_what_is_no_200)
{
	static const char *const bad[] = { "HTTP/1.1 407 Login\r\n\r\n",
		("HTTP/1.1 4\x1b"
		 "2 x\r\n\r\n"),
		"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nmore",
		"\r\n\r\n" };
	char much[GATEWAY_ROOM];

	cr_assert_eq(parse("http://proxy:1"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		gateway_begin(&t, &g, "h", 1);
		cr_assert_eq(hear(bad[i], strlen(bad[i])), GATEWAY_REFUSED,
			"%s", bad[i]);
		cr_assert(*t.error && !strchr(t.error, '\x1b'));
	}
	gateway_begin(&t, &g, "h", 1);
	memset(much, 'x', sizeof(much));
	cr_assert_eq(hear(much, sizeof(much)), GATEWAY_REFUSED);
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear(much, sizeof(much) - 1), GATEWAY_AWAIT);
	cr_assert_eq(hear(much, 2), GATEWAY_REFUSED);
}

Test(gateway, connects_by_socks5)
{
	static const uint8_t name[] = { 5, 1, 0, 3, 1, 'h', 0x1b, 0x58 };
	static const uint8_t yes[] = { 5, 0, 0, 1, 1, 2, 3, 4, 5, 6 };

	cr_assert_eq(parse("socks5://me:pw@proxy:1"), 0);
	gateway_begin(&t, &g, "h", 7000);
	assert_out("\5\1\2", 3);
	cr_assert_eq(hear("\5", 1), GATEWAY_AWAIT);
	cr_assert_eq(hear("\2", 1), GATEWAY_SEND);
	assert_out("\1\2me\2pw", 7);
	cr_assert_eq(hear("\1\0", 2), GATEWAY_SEND);
	assert_out(name, sizeof(name));
	cr_assert_eq(hear(yes, 9), GATEWAY_AWAIT);
	cr_assert_eq(hear(yes + 9, 1), GATEWAY_THROUGH);
	gateway_begin(&t, &g, "10.0.0.1", 1);
	cr_assert_eq(hear("\5\0", 2), GATEWAY_SEND);
	assert_out("\5\1\0\1\12\0\0\1\0\1", 10);
	gateway_begin(&t, &g, "::1", 1);
	cr_assert_eq(hear("\5\0", 2), GATEWAY_SEND);
	cr_assert_eq(t.out_size, 22);
}

Test(gateway, refuses_other_socks_answers)
{
	cr_assert_eq(parse("socks5://proxy:1"), 0);
	gateway_begin(&t, &g, "h", 1);
	assert_out("\5\1\0", 3);
	cr_assert_eq(hear("\5\2", 2), GATEWAY_REFUSED);
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear("\4\0", 2), GATEWAY_REFUSED);
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear("\5\377", 2), GATEWAY_REFUSED);
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear("\5\0", 2), GATEWAY_SEND);
	cr_assert_eq(hear("\5\5\0\1\0\0\0\0\0\0", 10), GATEWAY_REFUSED);
	cr_assert(strstr(t.error, "refuses"));
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear("\5\0", 2), GATEWAY_SEND);
	cr_assert_eq(hear("\5\0\0\7\0", 5), GATEWAY_REFUSED);
	cr_assert_eq(parse("socks5://me@proxy:1"), 0);
	gateway_begin(&t, &g, "h", 1);
	cr_assert_eq(hear("\5\2", 2), GATEWAY_SEND);
	cr_assert_eq(hear("\1\1", 2), GATEWAY_REFUSED);
}
