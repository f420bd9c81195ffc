/* SPDX-License-Identifier: Apache-2.0 */

/* Names of two words: always the same, a label of DNS, others in turn. */
// links: client/words.c common/base/address.c

#include "client/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(words, are_the_same_again)
{
	char a[WORDS_SIZE], b[WORDS_SIZE];

	words_make(a, "me", "127.0.0.1", 3000, 0);
	words_make(b, "me", "127.0.0.1", 3000, 0);
	cr_assert_str_eq(a, b);
	/* What was once printed stays: people have it in bookmarks. */
	cr_assert_str_eq(a, "quick-crane");
	words_make(b, "me", "localhost", 3000, 0);
	cr_assert_str_eq(a, b);
}

Test(words, differ_by_all_that_counts)
{
	static const struct {
		const char *user, *host;
		uint16_t port;
		unsigned turn;
	} rows[] = { { "me", "127.0.0.1", 3000, 0 },
		{ "me", "127.0.0.1", 3001, 0 }, { "me", "127.0.0.1", 3000, 1 },
		{ "you", "127.0.0.1", 3000, 0 },
		{ "me", "10.0.0.1", 3000, 0 } };
	char names[5][WORDS_SIZE];

	for (int i = 0; i < 5; i++) {
		words_make(names[i], rows[i].user, rows[i].host, rows[i].port,
			rows[i].turn);
		for (int k = 0; k < i; k++)
			cr_assert_str_neq(names[i], names[k]);
	}
}

Test(words, are_labels_and_many)
{
	static char seen[4096][WORDS_SIZE];
	char name[WORDS_SIZE];
	int different = 0;

	for (int i = 0; i < 4096; i++) {
		int k = 0;

		words_make(name, "", "127.0.0.1", (uint16_t)i, 0);
		cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
			strlen(name));
		cr_assert(strchr(name, '-') && strlen(name) < WORDS_SIZE - 1);
		while (k < different && strcmp(seen[k], name) != 0)
			k++;
		if (k == different)
			strcpy(seen[different++], name);
	}
	/* Of 4,096 draws from 4,096 some 2,589 differ. */
	cr_assert(different > 2400, "%d", different);
}
