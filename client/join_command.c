/* SPDX-License-Identifier: Apache-2.0 */

#include "client/join_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

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

int join_choose(struct join *j, char path[static PATH_MAX],
	const struct join_choice *choice, char error[static JOINED_ERROR_SIZE])
{
	const char *file = choice->file, *env = getenv("ADIT_JOIN_FILE");
	const char *token = getenv("ADIT_TOKEN");
	int rc;

	*path = '\0';
	if (choice->text && choice->file)
		return wrong(
			error, "--join and --join-file exclude each other");
	if ((choice->text || choice->file) && choice->elsewhere)
		return wrong(error,
			"a join string names server and token: --server, "
			"--token and --token-file do not go with it");
	if (choice->text)
		return choose_text(j, path, choice->text, error);
	if (!file && env && *env && !choice->elsewhere)
		file = env;
	if (file)
		return choose_file(j, path, file, error);
	if (choice->elsewhere || (token && *token) || joined_path(path) < 0)
		return 0;
	rc = joined_read(j, path, error);
	if (rc == -ENOENT)
		*path = '\0';
	return rc == -ENOENT ? 0 : rc < 0 ? -EINVAL : 1;
}

/* From the terminal, which does not show it; as getpass(3). */
static int ask(struct join *j, char error[static JOINED_ERROR_SIZE])
{
	struct termios shown, hidden;
	int rc;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return joined_read_line(j, stdin, error);
	hidden = shown;
	/* Ctrl-C would leave it without an echo. */
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	fputs("Join string (it is not shown): ", stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	rc = joined_read_line(j, stdin, error);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
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
