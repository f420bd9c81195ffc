/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/cgroup.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4608

bool cgroup_read(const char *dir, const char *file, char *line, int size)
{
	char path[PATH_SIZE + 64];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, size, f);
	fclose(f);
	return ok;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

/* The least limit from the group up to its mount, `top` bytes long. */
static int64_t least_above(char *dir, size_t top, cgroup_limit_fn *limit)
{
	int64_t least = 0;

	for (;;) {
		char *slash = strrchr(dir, '/');

		least = lesser(least, limit(dir));
		if (strlen(dir) <= top || !slash)
			return least;
		*slash = '\0';
	}
}

/* Whether a comma-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (;;) {
		if (!strncmp(list, word, n) &&
			(list[n] == '\0' || list[n] == ','))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
		list++;
	}
}

/* One line of /proc/self/cgroup: "ID:CONTROLLERS:PATH". */
static int64_t least_of_line(const char *root, char *line,
	const char *controller, cgroup_limit_fn *v1, cgroup_limit_fn *v2)
{
	char *controllers = strchr(line, ':'), *path, dir[PATH_SIZE];
	bool first;
	int n, top;

	path = controllers ? strchr(++controllers, ':') : NULL;
	if (!path)
		return 0;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (path[0] == '/' && path[1] == '\0')
		path++;
	/* Of version 2 there is one line, without names. */
	first = *controllers;
	if (first && !has_word(controllers, controller))
		return 0;
	top = snprintf(dir, sizeof(dir), "%s/sys/fs/cgroup%s%s", root,
		first ? "/" : "", first ? controller : "");
	if (top >= (int)sizeof(dir))
		return 0;
	n = snprintf(dir + top, sizeof(dir) - (size_t)top, "%s", path);
	if (n >= (int)sizeof(dir) - top)
		return 0;
	return least_above(dir, (size_t)top, first ? v1 : v2);
}

int64_t cgroup_least(const char *root, const char *controller,
	cgroup_limit_fn *v1, cgroup_limit_fn *v2)
{
	char path[PATH_SIZE], line[4096];
	int64_t least = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		least = lesser(
			least, least_of_line(root, line, controller, v1, v2));
	fclose(f);
	return least;
}
