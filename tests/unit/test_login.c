/* SPDX-License-Identifier: Apache-2.0 */

/* The login key: frp's known answers, and comparison. */
// links: common/crypto/login.c
// libs: boringssl

#include "common/crypto/login.h"

#include <criterion/criterion.h>
#include <string.h>

Test(login, known_answers)
{
	char key[LOGIN_KEY_SIZE];

	login_key(key, "12345678", 1700000000);
	cr_assert_str_eq(key, "3d8aac6cc09d79da303be74c311e5808");
	/* The same function signs visitors: stcp's sign_key. */
	login_key(key, "abcdefg", 1700000000);
	cr_assert_str_eq(key, "9e507a77ffcf3f14de1b478e8012f4fd");
	/* MD5("0"), MD5("-1") */
	login_key(key, "", 0);
	cr_assert_str_eq(key, "cfcd208495d565ef66e7dff9f98764da");
	login_key(key, "", -1);
	cr_assert_str_eq(key, "6bb61e3b7bce0931da574d19d1d82c88");
}

/* Around the ends of blocks, and what takes more of them than are even. */
Test(login, lengths)
{
	/* Of so many x, by md5sum. */
	static const struct {
		size_t n;
		const char *key;
	} rows[] = {
		{ 44, "175c8aace3cb6ffbaabd7f91dffb8b94" },
		{ 45, "4dbeeb7d32594259c1478192a860cf32" },
		{ 46, "dfe7760cc2622316cd06ff11190ed10c" },
		{ 47, "aebe2d1a0d92e8f916b382787ef316c0" },
		{ 53, "6bc5a4949dcd068a2241975a1a58e324" },
		{ 54, "1eab288a3f57a717bd898dda11f7d447" },
		{ 109, "19c3dd7f7d28da1d75b5e6368e15228c" },
		{ 110, "340e33436ccfd2fa55ab06b30f722ab1" },
		{ 117, "63d954517d4cec65bc9e016cd5d63fe0" },
		{ 118, "28528935dfbeab21734e4b2691503174" },
		{ 236, "4339bd56a2001da5420c6b7eae15a433" },
		{ 237, "a5032f779a95121ddaaf9d2be4206b14" },
		{ 238, "266f017b9b2e76a663dd8f6606c88e9c" },
		{ 300, "dc37f1478c96226abdefd228ecc7485e" },
	};
	char token[400], key[LOGIN_KEY_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(token, 'x', rows[i].n);
		token[rows[i].n] = '\0';
		login_key(key, token, 1700000000);
		cr_assert_str_eq(key, rows[i].key, "%zu bytes", rows[i].n);
	}
}

Test(login, verify)
{
	const char *right = "3d8aac6cc09d79da303be74c311e5808";

	cr_assert(login_key_verify(right, "12345678", 1700000000));
	cr_assert_not(login_key_verify(right, "12345678", 1700000001));
	cr_assert_not(login_key_verify(right, "12345679", 1700000000));
	cr_assert_not(login_key_verify("", "12345678", 1700000000));
	cr_assert_not(login_key_verify(
		"3d8aac6cc09d79da303be74c311e580", "12345678", 1700000000));
	cr_assert_not(login_key_verify(
		"3d8aac6cc09d79da303be74c311e58080", "12345678", 1700000000));
	cr_assert_not(login_key_verify(
		"3D8AAC6CC09D79DA303BE74C311E5808", "12345678", 1700000000));
}
