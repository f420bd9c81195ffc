/* SPDX-License-Identifier: Apache-2.0 */

/* Which word was meant. */
// links: common/conf/nearest.c

#include "common/conf/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *nearest(const char *found)
{
	static const char *const known[] = { "bindPort", "bindAddr",
		"vhostHTTPPort", "transport.poolCount", "user", "log.to" };
	struct conf_nearest n = { 0 };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		conf_nearest_offer(&n, found, known[i]);
	return n.word ? n.word : "-";
}

Test(conf_nearest, finds_what_was_meant)
{
	static const char *const rows[][2] = { { "bindport", "bindPort" },
		{ "bind_port", "bindPort" }, { "bindAdr", "bindAddr" },
		{ "vhostHttpPort", "vhostHTTPPort" },
		{ "transport.poolcont", "transport.poolCount" },
		{ "users", "user" }, { "xyz", "-" }, { "", "-" },
		{ "abcdefgh", "-" } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(
			nearest(rows[i][0]), rows[i][1], "%s", rows[i][0]);
}

Test(conf_nearest, long_words_match_nothing)
{
	char word[100];

	memset(word, 'a', 99);
	word[99] = '\0';
	cr_assert_str_eq(nearest(word), "-");
}
