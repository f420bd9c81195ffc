/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files that are kept in the repository and written from tables: a test says
 * when one is stale, `make docs` writes it again.
 */

#ifndef ADIT_TESTS_DOUBLE_KEPT_H
#define ADIT_TESTS_DOUBLE_KEPT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* The file holds this text; with UPDATE in the environment it does now. */
static inline void assert_kept(const char *file, const char *text)
{
	static char kept[256 * 1024];
	FILE *f = fopen(file, getenv("UPDATE") ? "w+" : "r");

	cr_assert_not_null(f, "%s: run from the root of the project", file);
	if (getenv("UPDATE")) {
		fputs(text, f);
		rewind(f);
	}
	kept[fread(kept, 1, sizeof(kept) - 1, f)] = '\0';
	fclose(f);
	cr_assert_str_eq(kept, text, "%s is stale: make docs", file);
}

#endif
