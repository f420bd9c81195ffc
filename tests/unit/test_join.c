/* SPDX-License-Identifier: Apache-2.0 */

/* Join strings: read, written, and refused with the place of the fault. */
// links: common/conf/join.c common/base/address.c

#include "common/conf/join.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "adit_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8XAFHlg"
#define PIN "V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY"
#define PIN2 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define HEAD "adit://alice:" TOKEN "@"
#define LABEL60 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"

static struct join join;

static void expect_good(const char *text, const char *written)
{
	char error[JOIN_ERROR_SIZE], out[JOIN_TEXT_SIZE];

	cr_assert_eq(join_parse(&join, text, strlen(text), error), 0, "%s: %s",
		text, error);
	join_write(out, &join);
	cr_assert_str_eq(out, written);
	cr_assert_lt(strlen(out), sizeof(out));
}

static void expect_host(const char *host, const char *read, const char *written)
{
	char text[JOIN_TEXT_SIZE], out[JOIN_TEXT_SIZE];

	snprintf(text, sizeof(text), HEAD "%s:7000/" PIN, host);
	snprintf(out, sizeof(out), HEAD "%s:7000/" PIN, written);
	expect_good(text, out);
	cr_assert_str_eq(join.servers[0].host, read);
	cr_assert_eq(join.servers[0].port, 7000);
}

/* The character is given by its place behind `before`, which is fine. */
static void expect_bad(const char *before, const char *rest, const char *error)
{
	char text[1024], have[JOIN_ERROR_SIZE], want[JOIN_ERROR_SIZE];

	snprintf(text, sizeof(text), "%s%s", before, rest);
	snprintf(want, sizeof(want), "character %zu: %s", strlen(before) + 1,
		error);
	cr_assert_eq(
		join_parse(&join, text, strlen(text), have), -22, "%s", text);
	cr_assert_str_eq(have, want, "%s: %s", text, have);
	cr_assert_eq(join.name[0], '\0');
	cr_assert_eq(join.token[0], '\0');
}

Test(join, whole)
{
	expect_good(HEAD "example.com:7000/" PIN, HEAD "example.com:7000/" PIN);
	cr_assert_str_eq(join.name, "alice");
	cr_assert_str_eq(join.token, TOKEN);
	cr_assert_eq(join.server_count, 1);
	cr_assert_eq(join.pin_count, 1);
	cr_assert_str_eq(join.pins[0], PIN);
	expect_good(HEAD "a:1,b.c:65535,192.0.2.1:7,2001_db8__1:80/" PIN
			 "," PIN2,
		HEAD "a:1,b.c:65535,192.0.2.1:7,2001_db8__1:80/" PIN "," PIN2);
	cr_assert_eq(join.server_count, 4);
	cr_assert_str_eq(join.servers[3].host, "2001:db8::1");
	cr_assert_eq(join.servers[1].port, 65535);
	cr_assert_str_eq(join.pins[1], PIN2);
}

Test(join, hosts)
{
	expect_host("Tunnel.Example.COM", "tunnel.example.com",
		"tunnel.example.com");
	expect_host("localhost", "localhost", "localhost");
	expect_host(
		"a-b.3com.xn--p1ai", "a-b.3com.xn--p1ai", "a-b.3com.xn--p1ai");
	expect_host("203.0.113.9", "203.0.113.9", "203.0.113.9");
	expect_host("__1", "::1", "__1");
	expect_host("[::1]", "::1", "__1");
	expect_host("[2001_DB8__1]", "2001:db8::1", "2001_db8__1");
	expect_host("2001_db8_0_0_0_0_0_1", "2001:db8::1", "2001_db8__1");
	expect_host("__ffff_192.0.2.7", "192.0.2.7", "192.0.2.7");
}

Test(join, names)
{
	static const char *const bad[] = { "", "-a", "_a", "Alice", "a.b",
		"a b", "abcdefghijklmnopqrstuvwxyz0123456", "a\n", "\xc3\xa4" };

	cr_assert(join_is_name("a"));
	cr_assert(join_is_name("0"));
	cr_assert(join_is_name("calm-fox_2"));
	cr_assert(join_is_name("abcdefghijklmnopqrstuvwxyz012345"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(join_is_name(bad[i]), "%s", bad[i]);
}

Test(join, refused_at_the_name_and_token)
{
	expect_bad("", "", "a join string begins with adit://");
	expect_bad("", "adit:/x", "a join string begins with adit://");
	expect_bad("", "ADIT://a", "a join string begins with adit://");
	expect_bad("adit://", ":x", "the user's name is missing");
	expect_bad("adit://", "-a:x", "a name begins with a letter or digit");
	expect_bad("adit://a", "B:x", "a name has small letters only");
	expect_bad("adit://a", ".b:x", "':' is expected after the user's name");
	expect_bad("adit://alice", "", "':' is expected after the user's name");
	expect_bad("adit://abcdefghijklmnopqrstuvwxyz012345", "6:x",
		"the user's name is longer than 32 characters");
	expect_bad("adit://alice:", "@a:1/x", "the token is missing");
	expect_bad("adit://alice:" TOKEN, ".@a:1/x",
		"'@' is expected after the token");
}

Test(join, refused_at_the_servers)
{
	expect_bad(HEAD, "/" PIN, "a server's host is missing");
	expect_bad(HEAD, ":7000/" PIN, "a server's host is missing");
	expect_bad(
		HEAD "a", "/" PIN, "':' is expected after the server's host");
	expect_bad(HEAD "a:", "/" PIN, "the server's port is missing");
	expect_bad(HEAD "a:", "0/" PIN, "a port does not begin with 0");
	expect_bad(HEAD "a:", "080/" PIN, "a port does not begin with 0");
	expect_bad(HEAD "a:", "65536/" PIN, "a port is at most 65535");
	expect_bad(HEAD "a:", "99999999999999999999/" PIN,
		"a port is at most 65535");
	expect_bad(HEAD "a:1", "", "'/' is expected after the servers");
	expect_bad(HEAD "a:1,", "/" PIN, "a server's host is missing");
	expect_bad(HEAD "a:1,", "A:1/" PIN, "this server comes twice");
	expect_bad(HEAD "a:1,b:1,c:1,d:1,", "e:1/" PIN,
		"there are at most 4 servers");
	expect_bad(
		HEAD "a.", ".b:1/" PIN, "a part of the host's name is empty");
	expect_bad(HEAD "a.", ":1/" PIN, "a part of the host's name is empty");
	expect_bad(HEAD "a.", "-b:1/" PIN,
		"a part of a host's name begins with '-'");
	expect_bad(HEAD "a", "-.b:1/" PIN,
		"a part of a host's name ends with '-'");
	expect_bad(HEAD LABEL60 "abc", "d.b:1/" PIN,
		"a part of the host's name is longer than 63 characters");
	expect_bad(HEAD, "256.0.0.1:1/" PIN,
		"this is neither an IPv4 address nor a name");
	expect_bad(HEAD, "0x7f000001:1/" PIN,
		"this is neither an IPv4 address nor a name");
	expect_bad(HEAD, "host_name:1/" PIN, "this is no IPv6 address");
	expect_bad(HEAD "[", "1.2.3.4]:1/" PIN, "this is no IPv6 address");
	expect_bad(HEAD "[__1:1", "/" PIN,
		"']' is expected after the IPv6 address");
}

Test(join, refused_at_the_pins)
{
	expect_bad(HEAD "a:1/", "", "the server's pin is missing");
	expect_bad(HEAD "a:1/" PIN ",", "", "the server's pin is missing");
	expect_bad(HEAD "a:1/" PIN, "A",
		"the server's pin is longer than 43 characters");
	expect_bad(HEAD "a:1/abc", "", "a pin has 43 characters");
	expect_bad(HEAD "a:1/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", "9",
		"no pin ends with '9'");
	expect_bad(HEAD "a:1/" PIN ",", PIN, "this pin comes twice");
	expect_bad(
		HEAD "a:1/" PIN "," PIN2 ",", PIN, "there are at most 2 pins");
	expect_bad(HEAD "a:1/" PIN, "/x", "the pins end here");
}

/* Wherever they are, and before all else. */
Test(join, refused_characters)
{
	expect_bad(HEAD "a", "%41:1/" PIN, "'%' stands in no join string");
	expect_bad(HEAD "a:1/" PIN, "\n",
		"the byte 0x0a stands in no join string");
	expect_bad("", " " HEAD, "the byte 0x20 stands in no join string");
	expect_bad(HEAD "a", "\xc3\xa4:1/" PIN,
		"the byte 0xc3 stands in no join string");
	expect_bad(HEAD "a:1/" PIN, "#x", "'#' stands in no join string");
}
