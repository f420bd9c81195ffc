/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/join_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/state_file.h"
#include "server/users/invitation.h"
#include "server/users/users_edit.h"

bool join_file_find(char path[static PATH_MAX], const char *directory)
{
	return snprintf(path, PATH_MAX, "%s/join.txt", directory) < PATH_MAX ||
	       users_edit_fail("%s: %s", directory, strerror(ENAMETOOLONG));
}

bool join_file_read(const char *path, struct join *j_r)
{
	char error[JOIN_ERROR_SIZE];
	const char *why;
	size_t size;
	char *text;
	int rc = state_file_read(path, &text, &size, &why);

	memset(j_r, 0, sizeof(*j_r));
	if (rc == -ENOENT)
		return true;
	if (rc < 0)
		return users_edit_fail("%s: %s", path, why);
	rc = join_parse(j_r, text, strcspn(text, "\n"), error);
	explicit_bzero(text, size);
	free(text);
	if (rc < 0)
		return users_edit_fail("%s: %s", path, error);
	return true;
}

/* Whether it says just this already. */
static bool says(const char *path, const char *line)
{
	const char *why;
	bool same;
	size_t size;
	char *text;

	if (state_file_read(path, &text, &size, &why) < 0)
		return false;
	same = !strcmp(text, line);
	explicit_bzero(text, size);
	free(text);
	return same;
}

bool join_file_keep(const char *path, const char *join)
{
	char line[JOIN_TEXT_SIZE + 1];
	int rc = 0;

	snprintf(line, sizeof(line), "%s\n", join);
	if (!says(path, line))
		rc = state_file_write(path, line, strlen(line));
	explicit_bzero(line, sizeof(line));
	return rc == 0 || users_edit_fail("%s: %s", path, strerror(-rc));
}

bool join_file_renew(const char *directory, const struct pin_list *pins)
{
	char path[PATH_MAX], text[JOIN_TEXT_SIZE];
	bool done = join_file_find(path, directory);
	struct join j;

	if (!done)
		return false;
	done = join_file_read(path, &j);
	if (done && *j.name) {
		invitation_set_pins(&j, pins);
		join_write(text, &j);
		done = join_file_keep(path, text);
		explicit_bzero(text, sizeof(text));
	}
	join_wipe(&j);
	return done;
}
