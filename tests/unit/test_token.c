/* SPDX-License-Identifier: Apache-2.0 */

/* Tokens: the form, and each way to get it wrong. */
// links: common/crypto/token.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/token.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Of the bytes 0 to 31. */
#define KNOWN "adit_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8XAFHlg"

static void expect(const char *text, const char *fault)
{
	const char *have = token_fault(text, strlen(text));

	cr_assert(have, "%s was accepted", text);
	cr_assert(strstr(have, fault), "%s: %s", text, have);
}

Test(token, known_answer)
{
	cr_assert_null(token_fault(KNOWN, strlen(KNOWN)));
}

Test(token, made_ones_differ_and_are_good)
{
	char a[TOKEN_SIZE], b[TOKEN_SIZE], c[TOKEN_SIZE];

	token_make(a);
	token_make(b);
	token_make(c);
	cr_assert_str_neq(a, b);
	cr_assert_str_neq(b, c);
	cr_assert_eq(strlen(a), TOKEN_SIZE - 1);
	cr_assert_null(token_fault(a, strlen(a)));
	cr_assert_null(token_fault(b, strlen(b)));
}

Test(token, refused)
{
	expect("", "does not begin with adit_");
	expect("adit", "does not begin");
	expect("ADIT_AAECAwQ", "does not begin");
	expect("adit_AAECAwQ", "too short");
	expect(KNOWN "A", "too long");
	/* Stray bits in the last character of the secret. */
	expect("adit_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9XAFHlg",
		"a character");
	expect("adit_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8XAFHl=",
		"checksum");
}

/* Whichever character is another one: it is seen. */
Test(token, every_typing_error)
{
	for (size_t i = 0; i < strlen(KNOWN); i++) {
		char text[TOKEN_SIZE] = KNOWN;

		text[i] = text[i] == 'B' ? 'C' : 'B';
		cr_assert(token_fault(text, strlen(text)), "%zu", i);
	}
}
