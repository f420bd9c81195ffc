/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/reload_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/host/health.h"
#include "server/command/admin.h"

/* Keys and users may have to be read, and another reload waited for. */
#define PATIENCE (30 * CLOCK_SECOND)

/* Exit codes (see aditd --help). */
enum {
	DONE,
	REFUSED,
	USAGE
};

int reload_command(const struct settings *s, const struct command_words *words)
{
	static const struct question q = { "POST", "/reload", PATIENCE };
	char *text;
	int rc;

	if (words->n > 1) {
		fputs("aditd reload: nothing goes with it\n", stderr);
		return USAGE;
	}
	text = malloc(HEALTH_ANSWER);
	if (!text)
		return REFUSED;
	rc = admin_ask(s, &q, text, HEALTH_ANSWER);
	if (rc < 0)
		fprintf(stderr, "aditd reload: no answer: %s\n", admin_why(rc));
	else
		fputs(text, rc == 200 ? stdout : stderr);
	free(text);
	return rc == 200 ? DONE : REFUSED;
}
