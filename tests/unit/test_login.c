/* SPDX-License-Identifier: Apache-2.0 */

/* The login key: frp's known answers, and comparison. */
// links: common/crypto/login.c
// libs: boringssl

#include "common/crypto/login.h"

#include <criterion/criterion.h>

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
