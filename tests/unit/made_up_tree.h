/* SPDX-License-Identifier: Apache-2.0 */

/* Files below a directory of their own, as those below / would be. */

#ifndef ADIT_UNIT_MADE_UP_TREE_H
#define ADIT_UNIT_MADE_UP_TREE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define TREE_FILES 4
#define TREE_ROOT "/tmp/adit-tree-XXXXXX"

struct tree_file {
	const char *path, *text; /* NULL: no more files */
};

static void tree_put(const char *root, const struct tree_file *f)
{
	char command[640], path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", root, f->path);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\"", path);
	cr_assert_eq(system(command), 0);
	out = fopen(path, "w");
	cr_assert(out);
	fputs(f->text, out);
	fclose(out);
}

/* Make it; `root` is TREE_ROOT at first. */
static void tree_make(char *root, const struct tree_file files[TREE_FILES])
{
	cr_assert(mkdtemp(root));
	for (int i = 0; i < TREE_FILES && files[i].path; i++)
		tree_put(root, &files[i]);
}

static void tree_remove(const char *root)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_assert_eq(system(command), 0);
}

#endif
