/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/identity_command.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "server/command/join_file.h"
#include "server/link/identity.h"
#include "server/state_dir.h"

/* Exit codes (see aditd --help). */
enum {
	DONE,
	FAILED,
	USAGE
};

static int fail(int code, const char *text)
{
	fprintf(stderr, "aditd identity: %s\n", text);
	return code;
}

/* With `changed` the join string that is kept there is to go along. */
static int show(const char *dir, bool changed)
{
	static const char *const names[] = { "now", "next" };
	char text[PIN_SIZE];
	struct pin_list pins;
	bool done;

	if (identity_look(dir, &pins) < 0)
		return FAILED;
	done = !changed || join_file_renew(dir, &pins);
	for (size_t i = 0; i < pins.n; i++) {
		pin_write(text, &pins.v[i]);
		printf("%-5s %s\n", names[i], text);
	}
	return done ? DONE : FAILED;
}

int identity_command(
	const struct settings *s, const struct command_words *words)
{
	const char *what = words->n > 1 ? words->v[1] : "";
	char dir[PATH_MAX] = "", error[STATE_DIR_ERROR_SIZE];
	int rc;

	if (words->n > 2 || (*what && strcmp(what, "next") != 0 &&
				    strcmp(what, "activate") != 0))
		return fail(USAGE, "next or activate goes with it, or nothing");
	rc = state_dir_make(s->state_dir, dir, sizeof(dir));
	if (rc < 0) {
		state_dir_explain(error, dir, rc);
		fprintf(stderr, "aditd identity: the state directory: %s\n",
			error);
		return FAILED;
	}
	if (!strcmp(what, "next"))
		rc = identity_make_next(dir);
	else if (*what)
		rc = identity_activate(dir);
	return rc < 0 ? FAILED : show(dir, *what);
}
