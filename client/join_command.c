/* SPDX-License-Identifier: Apache-2.0 */

#include "client/join_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/prompt.h"
#include "common/base/address.h"

static int wrong(char error[static JOINED_ERROR_SIZE], const char *text)
{
	snprintf(error, JOINED_ERROR_SIZE, "%s", text);
	return -EINVAL;
}

/* Of --join: later commands are to need none. */
static int choose_text(struct join *j, char path[static PATH_MAX],
	const char *text, char error[static JOINED_ERROR_SIZE])
{
	int rc = strcmp(text, "-") ? joined_parse(j, text, error)
				   : joined_read_line(j, stdin, error);

	if (rc < 0)
		return rc;
	rc = joined_path(path);
	if (rc == 0)
		rc = joined_keep(j, path);
	if (rc == 0)
		return 1;
	fprintf(stderr,
		"adit: the join string is not kept, give it again next time: "
		"%s\n",
		strerror(-rc));
	*path = '\0';
	return 1;
}

static int choose_file(struct join *j, char path[static PATH_MAX],
	const char *file, char error[static JOINED_ERROR_SIZE])
{
	int rc = snprintf(path, PATH_MAX, "%s", file) < PATH_MAX
			 ? joined_read(j, path, error)
			 : wrong(error, "--join-file: the name is too long");

	return rc < 0 ? -EINVAL : 1;
}

/* One that is there is not used, because of that option or variable. */
static void tell_unused(
	char text[static JOINED_ERROR_SIZE], const char *path, const char *why)
{
	if (*path && access(path, F_OK) == 0)
		snprintf(text, JOINED_ERROR_SIZE,
			"the join string in %.128s is not used, because of %s",
			path, why);
}

/* Without a join string; the kept one is put aside for `why`, if not NULL. */
static int choose_none(char path[static PATH_MAX],
	const struct join_choice *choice, const char *why,
	char text[static JOINED_ERROR_SIZE])
{
	const char *env = getenv("ADIT_JOIN_FILE");
	size_t n;

	if (why)
		tell_unused(text, env && *env ? env : path, why);
	*path = '\0';
	if (choice->server)
		return 0;
	n = strlen(text);
	snprintf(text + n, JOINED_ERROR_SIZE - n,
		n > 0 ? "; without --server " JOIN_NO_SERVER " is tried"
		      : "no server was joined: `adit join STRING` or --server "
			"HOST:PORT names one; " JOIN_NO_SERVER " is tried");
	return 0;
}

int join_choose(struct join *j, char path[static PATH_MAX],
	const struct join_choice *choice, char text[static JOINED_ERROR_SIZE])
{
	const char *env = getenv("ADIT_JOIN_FILE");
	const char *token = getenv("ADIT_TOKEN"), *why = choice->elsewhere;
	int rc;

	*path = *text = '\0';
	if (choice->text && choice->file)
		return wrong(text, "--join and --join-file exclude each other");
	if ((choice->text || choice->file) && why)
		return wrong(text,
			"a join string names server and token: --server, "
			"--token and --token-file do not go with it");
	if (choice->text)
		return choose_text(j, path, choice->text, text);
	if (choice->file)
		return choose_file(j, path, choice->file, text);
	if (joined_path(path) < 0)
		*path = '\0';
	if (env && *env && !why) {
		if (strcmp(env, path) != 0)
			tell_unused(text, path, "ADIT_JOIN_FILE");
		return choose_file(j, path, env, text);
	}
	if (!why && token && *token)
		why = "ADIT_TOKEN";
	rc = why || !*path ? -ENOENT : joined_read(j, path, text);
	if (rc != -ENOENT)
		return rc < 0 ? -EINVAL : 1;
	*text = '\0';
	return choose_none(path, choice, why, text);
}

static int ask(struct join *j, char error[static JOINED_ERROR_SIZE])
{
	char line[JOINED_INPUT_SIZE];
	int rc = prompt_secret(
		"Join string (it is not shown): ", line, sizeof(line));

	if (rc == -ENOTTY)
		return joined_read_line(j, stdin, error);
	if (rc < 0)
		return wrong(error, "the join string cannot be read");
	rc = joined_parse(j, line, error);
	explicit_bzero(line, sizeof(line));
	return rc;
}

static void tell(const struct join *j, const char *path)
{
	char at[ADDRESS_HOST_SIZE + 16];

	printf("joined as user %s of ", j->name);
	for (size_t i = 0; i < j->server_count; i++) {
		address_join(
			at, sizeof(at), j->servers[i].host, j->servers[i].port);
		printf("%s%s", i ? ", " : "", at);
	}
	printf("; kept in %s\nNow publish a local port: adit http 3000\n",
		path);
}

int join_command(const char *text)
{
	char error[JOINED_ERROR_SIZE] = "", path[PATH_MAX];
	struct join j;
	int rc;

	if (!*text)
		rc = ask(&j, error);
	else if (!strcmp(text, "-"))
		rc = joined_read_line(&j, stdin, error);
	else
		rc = joined_parse(&j, text, error);
	if (rc < 0) {
		fprintf(stderr, "adit: %s\n", error);
		return -EINVAL;
	}
	rc = joined_path(path);
	if (rc == 0)
		rc = joined_keep(&j, path);
	if (rc == 0)
		tell(&j, path);
	else
		fprintf(stderr, "adit: the join string cannot be kept: %s\n",
			strerror(-rc));
	join_wipe(&j);
	return rc;
}
