/* SPDX-License-Identifier: Apache-2.0 */

/* A path as frp reads it, and as a service may. */
// links: common/http/path.c common/http/text.c

#include "common/http/path.h"

#include <criterion/criterion.h>

static const struct {
	const char *target, *decoded, *cleaned; /* NULL: refused */
} rows[] = {
	{ "/", "/", "/" },
	{ "/a/b?c=%zz", "/a/b", "/a/b" },
	{ "/a/", "/a/", "/a/" },
	{ "/%66oo", "/foo", "/foo" },
	{ "/a/../b", "/a/../b", "/b" },
	{ "/a/..", "/a/..", "/" },
	{ "/a/b/..", "/a/b/..", "/a/" },
	{ "/..", "/..", "/" },
	{ "/../../a", "/../../a", "/a" },
	{ "/a/./b/.", "/a/./b/.", "/a/b/" },
	{ "//a///b", "//a///b", "/a/b" },
	{ "/x%2f..%2Fadmin", "/x/../admin", "/admin" },
	{ "/x/%2e%2E/admin", "/x/../admin", "/admin" },
	{ "/x\\..\\admin", "/x\\..\\admin", "/admin" },
	{ "/x%5c..%5Cadmin", "/x\\..\\admin", "/admin" },
	{ "/x/..;a=b/admin", "/x/..;a=b/admin", "/admin" },
	{ "/admin;x/y", "/admin;x/y", "/admin/y" },
	{ "/;x/admin", "/;x/admin", "/admin" },
	{ "/...", "/...", "/..." },
	{ "/%252e%252e/a", "/%2e%2e/a", "/%2e%2e/a" },
	{ "/a%", NULL, NULL },
	{ "/a%4", NULL, NULL },
	{ "/a%zz", NULL, NULL },
	{ "/a%4z", NULL, NULL },
	{ "/a%z4", NULL, NULL },
	{ "/a%00b", NULL, NULL },
};

static void expect(struct http_text got, const char *want, const char *target)
{
	cr_assert_eq(got.len, strlen(want), "%s: %.*s", target, (int)got.len,
		got.data);
	cr_assert(memcmp(got.data, want, got.len) == 0, "%s: %.*s", target,
		(int)got.len, got.data);
}

Test(path, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].target);
		/* No byte more than was promised. */
		uint8_t *a = malloc(n), *b = malloc(n);
		struct http_text decoded, cleaned;
		int rc = path_read(
			text_of(rows[i].target), a, b, &decoded, &cleaned);

		cr_assert_eq(
			rc, rows[i].decoded ? 0 : -400, "%s", rows[i].target);
		if (rc == 0) {
			expect(decoded, rows[i].decoded, rows[i].target);
			expect(cleaned, rows[i].cleaned, rows[i].target);
		}
		free(a);
		free(b);
	}
}
