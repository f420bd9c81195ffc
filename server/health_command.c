/* SPDX-License-Identifier: Apache-2.0 */

#include "server/health_command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/address.h"
#include "common/host/question.h"
#include "server/state_dir.h"

/* Exit codes (see aditd --help). */
enum {
	WELL,
	UNWELL,
	USAGE
};

/* How a socket at any address is reached from here. */
static const char *reachable(const char *ip)
{
	if (!strcmp(ip, "0.0.0.0"))
		return "127.0.0.1";
	return strcmp(ip, "::") != 0 ? ip : "::1";
}

static int ask_port(
	const struct settings *s, const char *path, char *line, size_t size)
{
	struct address a;
	int rc = address_parse(&a, reachable(s->web_addr), s->web_port);

	return rc < 0 ? rc : question_ask(&a.any, a.size, path, line, size);
}

static int ask_socket(
	const struct settings *s, const char *path, char *line, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[PATH_MAX];
	int rc = state_dir_find(s->state_dir, dir, sizeof(dir));

	if (rc == 0 &&
		snprintf(a.sun_path, sizeof(a.sun_path), "%s/" STATE_DIR_SOCKET,
			dir) >= (int)sizeof(a.sun_path))
		rc = -ENAMETOOLONG;
	return rc < 0 ? rc
		      : question_ask((const struct sockaddr *)&a, sizeof(a),
				path, line, size);
}

int health_command(const struct settings *s, const struct command_words *words)
{
	const char *path = "/healthz";
	char line[128];
	int rc;

	if (words->n == 2 && !strcmp(words->v[1], "ready")) {
		path = "/readyz";
	} else if (words->n > 1) {
		fputs("aditd health: ready goes with it, or nothing\n", stderr);
		return USAGE;
	}
	rc = s->web_port ? ask_port(s, path, line, sizeof(line))
			 : ask_socket(s, path, line, sizeof(line));
	if (rc < 0) {
		fprintf(stderr, "aditd health: no answer: %s\n", strerror(-rc));
		return UNWELL;
	}
	puts(line);
	return rc == 200 && fflush(stdout) == 0 ? WELL : UNWELL;
}
