/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Proofs of a login. The known answers were computed with another library
 * (Python's cryptography) from the description in the header.
 */
// links: common/crypto/login_proof.c common/crypto/base64.c
// libs: boringssl

#include "common/crypto/login_proof.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "adit_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8XAFHlg"
#define PUBLIC "V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY"
#define SIGNATURE                                          \
	"03213f5a1d741474cf62b8556fd1b51c7129e1f3d26f4d40" \
	"acad59b5de3c824733170c93e00a5029dcb8691f683a9953" \
	"ca64aab35fcfe7cf7ae27da604098c02"

static uint8_t binding[PROOF_BINDING_SIZE];
static const struct proof_login alice = { binding, "alice",
	"00112233445566778899aabbccddeeff" };
static struct proof_key key;

static void setup(void)
{
	for (int i = 0; i < PROOF_BINDING_SIZE; i++)
		binding[i] = (uint8_t)(0x80 + i);
	proof_key_derive(&key, TOKEN, strlen(TOKEN));
}

TestSuite(login_proof, .init = setup);

Test(login_proof, known_answers)
{
	uint8_t signature[PROOF_SIGNATURE_SIZE];
	char text[2 * PROOF_SIGNATURE_SIZE + 1];

	proof_public_write(text, key.public);
	cr_assert_str_eq(text, PUBLIC);
	cr_assert(proof_sign(signature, &key, &alice));
	for (size_t i = 0; i < sizeof(signature); i++)
		snprintf(text + 2 * i, 3, "%02x", signature[i]);
	cr_assert_str_eq(text, SIGNATURE);
	cr_assert(proof_verify(signature, key.public, &alice));
}

/* A signature is for one user, client, connection and key. */
Test(login_proof, nothing_else_is_signed)
{
	uint8_t signature[PROOF_SIGNATURE_SIZE], other[PROOF_BINDING_SIZE];
	struct proof_key another;
	struct proof_login l;

	cr_assert(proof_sign(signature, &key, &alice));
	l = alice;
	l.user = "bob";
	cr_assert_not(proof_verify(signature, key.public, &l));
	l = alice;
	l.client_id = "";
	cr_assert_not(proof_verify(signature, key.public, &l));
	/* What is moved from one name to the other does not stay the same. */
	l.user = "alice0";
	l.client_id = alice.client_id + 1;
	cr_assert_not(proof_verify(signature, key.public, &l));
	l = alice;
	memcpy(other, binding, sizeof(other));
	other[31] ^= 1;
	l.binding = other;
	cr_assert_not(proof_verify(signature, key.public, &l));
	proof_key_derive(&another, TOKEN, strlen(TOKEN) - 1);
	cr_assert_not(proof_verify(signature, another.public, &alice));
	signature[0] ^= 1;
	cr_assert_not(proof_verify(signature, key.public, &alice));
}

Test(login_proof, names_have_a_length)
{
	uint8_t signature[PROOF_SIGNATURE_SIZE] = { 0 };
	struct proof_login l = alice;
	char name[PROOF_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[PROOF_NAME_MAX + 1] = '\0';
	l.user = name;
	cr_assert_not(proof_sign(signature, &key, &l));
	cr_assert_not(proof_verify(signature, key.public, &l));
	name[PROOF_NAME_MAX] = '\0';
	cr_assert(proof_sign(signature, &key, &l));
	cr_assert(proof_verify(signature, key.public, &l));
	/* The other one as well. */
	l.client_id = name;
	cr_assert(proof_sign(signature, &key, &l));
	cr_assert(proof_verify(signature, key.public, &l));
	name[PROOF_NAME_MAX] = 'x';
	l.user = "alice";
	cr_assert_not(proof_sign(signature, &key, &l));
	cr_assert_not(proof_verify(signature, key.public, &l));
}

Test(login_proof, public_keys_as_text)
{
	uint8_t public[PROOF_PUBLIC_SIZE];
	static const char *const bad[] = { "",
		"V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9Sr",
		"V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrYA",
		"V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY=",
		"V7H3fB9qk81YtukaamB1zboSsQ2/5LI7aSNsbrb9SrY",
		/* Stray bits. */
		"V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrZ" };

	cr_assert(proof_public_read(public, PUBLIC));
	cr_assert_eq(memcmp(public, key.public, sizeof(public)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(proof_public_read(public, bad[i]), "%s", bad[i]);
}

Test(login_proof, wiping_forgets)
{
	static const struct proof_key zero;

	proof_key_wipe(&key);
	cr_assert_eq(memcmp(&key, &zero, sizeof(key)), 0);
}
