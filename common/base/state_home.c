/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/state_home.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *state_home_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

int state_home_find(const char *program, char *path, size_t size)
{
	const char *base = state_home_variable("STATE_DIRECTORY");
	const char *between = "/";
	char real[PATH_MAX];
	int n;

	/* Itself: of a dynamic user it is a link, which is systemd's own
	 * (systemd.exec(5), DynamicUser=). */
	if (base) {
		if (realpath(base, real))
			base = real;
		return snprintf(path, size, "%s", base) < (int)size
			       ? 0
			       : -ENAMETOOLONG;
	}
	base = state_home_variable("XDG_STATE_HOME");
	if (!base && geteuid() == 0) {
		base = "/var/lib";
	} else if (!base) {
		base = state_home_variable("HOME");
		between = "/.local/state/";
	}
	if (!base)
		return -ENOENT;
	n = snprintf(path, size, "%s%s%s", base, between, program);
	return n < (int)size ? 0 : -ENAMETOOLONG;
}

int state_home_make(const char *given)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", given) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = c;
		if (c == '\0')
			return 0;
	}
}
