/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/admin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "server/state_dir.h"

int admin_ask(const struct settings *s, const struct question *q, char *text,
	size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[PATH_MAX];
	int rc = state_dir_find(s->state_dir, dir, sizeof(dir));

	if (rc == 0 &&
		snprintf(a.sun_path, sizeof(a.sun_path), "%s/" STATE_DIR_SOCKET,
			dir) >= (int)sizeof(a.sun_path))
		rc = -ENAMETOOLONG;
	return rc < 0 ? rc
		      : question_ask((const struct sockaddr *)&a, sizeof(a), q,
				text, size);
}

/* No socket is there, or one that was left behind. */
static bool is_nobody(int rc)
{
	return rc == -ENOENT || rc == -ECONNREFUSED;
}

const char *admin_why(int rc)
{
	return is_nobody(rc) ? "no aditd runs with this configuration"
			     : strerror(-rc);
}

bool admin_is_there(const struct settings *s)
{
	static const struct question q = { "GET", "/healthz",
		QUESTION_PATIENCE };
	char line[128];

	return !is_nobody(admin_ask(s, &q, line, sizeof(line)));
}
