/* SPDX-License-Identifier: Apache-2.0 */

/* Where the library is. */
// links: common/crypto/library.c
// libs: boringssl

#include "common/crypto/library.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

Test(library, is_a_file)
{
	char text[LIBRARY_SIZE], path[LIBRARY_SIZE];
	int version;

	library_describe(text);
	cr_assert_eq(
		sscanf(text, "BoringSSL API %d, %511s", &version, path), 2);
	cr_assert_geq(version, 17);
	cr_assert_eq(access(path, R_OK), 0, "%s", path);
}
