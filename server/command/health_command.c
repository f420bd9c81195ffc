/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/health_command.h"

#include <stdio.h>
#include <string.h>

#include "common/base/address.h"
#include "server/command/admin.h"

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

static int ask_port(const struct settings *s, const struct question *q,
	char *line, size_t size)
{
	struct address a;
	int rc = address_parse(&a, reachable(s->web_addr), s->web_port);

	return rc < 0 ? rc : question_ask(&a.any, a.size, q, line, size);
}

int health_command(const struct settings *s, const struct command_words *words)
{
	struct question q = { "GET", "/healthz", QUESTION_PATIENCE };
	char line[128];
	int rc;

	if (words->n == 2 && !strcmp(words->v[1], "ready")) {
		q.path = "/readyz";
	} else if (words->n > 1) {
		fputs("aditd health: ready goes with it, or nothing\n", stderr);
		return USAGE;
	}
	rc = s->web_port ? ask_port(s, &q, line, sizeof(line))
			 : admin_ask(s, &q, line, sizeof(line));
	if (rc < 0) {
		fprintf(stderr, "aditd health: no answer: %s\n",
			s->web_port ? strerror(-rc) : admin_why(rc));
		return UNWELL;
	}
	line[strcspn(line, "\n")] = '\0';
	puts(line);
	return rc == 200 ? WELL : UNWELL;
}
