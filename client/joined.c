/* SPDX-License-Identifier: Apache-2.0 */

#include "client/joined.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "client/settings.h"
#include "common/base/state_file.h"
#include "common/base/state_home.h"
#include "common/crypto/pin.h"
#include "common/crypto/token.h"

#define BLANKS " \t\r\n"
#define QUOTES "\"'`"

int joined_path(char path[static PATH_MAX])
{
	const char *base = state_home_variable("XDG_CONFIG_HOME"),
		   *between = "";

	if (!base) {
		base = state_home_variable("HOME");
		between = "/.config";
	}
	if (!base)
		return -ENOENT;
	return snprintf(path, PATH_MAX, "%s%s/adit/join", base, between) <
			       PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

static int check(const struct join *j, char error[static JOINED_ERROR_SIZE])
{
	const char *fault = token_fault(j->token, strlen(j->token));
	struct pin pin;

	if (fault) {
		snprintf(error, JOINED_ERROR_SIZE,
			"the token in the join string %s", fault);
		return -EINVAL;
	}
	for (size_t i = 0; i < j->pin_count; i++)
		if (pin_parse(&pin, j->pins[i], strlen(j->pins[i])) < 0) {
			snprintf(error, JOINED_ERROR_SIZE,
				"the pin at the end of the join string is "
				"none: it was not copied exactly");
			return -EINVAL;
		}
	return 0;
}

/*
 * As it was meant: a mail or a terminal may have broken the line, quotes may
 * have come along. Neither stands in a join string.
 */
static size_t copy_clean(char out[static JOINED_INPUT_SIZE], const char *text)
{
	size_t n = 0, from = 0;

	for (; *text && n + 1 < JOINED_INPUT_SIZE; text++)
		if (!strchr(BLANKS, *text))
			out[n++] = *text;
	out[n] = '\0';
	if (n > 1 && strchr(QUOTES, out[0]) && out[n - 1] == out[0])
		from = 1;
	n -= 2 * from;
	memmove(out, out + from, n);
	return n;
}

int joined_parse(
	struct join *j, const char *text, char error[static JOINED_ERROR_SIZE])
{
	char why[JOIN_ERROR_SIZE], clean[JOINED_INPUT_SIZE];
	size_t n = copy_clean(clean, text);
	int rc = join_parse(j, clean, n, why);

	explicit_bzero(clean, sizeof(clean));
	if (rc < 0) {
		snprintf(error, JOINED_ERROR_SIZE,
			"the join string is wrong: %s",
			n > 0 ? why : "it is empty");
		return rc;
	}
	rc = check(j, error);
	if (rc < 0)
		join_wipe(j);
	return rc;
}

int joined_read_line(
	struct join *j, FILE *in, char error[static JOINED_ERROR_SIZE])
{
	char line[JOINED_INPUT_SIZE] = "";
	int rc;

	if (!fgets(line, sizeof(line), in) && ferror(in)) {
		snprintf(error, JOINED_ERROR_SIZE,
			"the join string cannot be read: %s", strerror(errno));
		return -EIO;
	}
	rc = joined_parse(j, line, error);
	explicit_bzero(line, sizeof(line));
	return rc;
}

int joined_read(
	struct join *j, const char *path, char error[static JOINED_ERROR_SIZE])
{
	char why[JOINED_ERROR_SIZE];
	const char *reason;
	size_t size;
	char *text;
	int rc = state_file_read(path, &text, &size, &reason);

	if (rc < 0) {
		snprintf(error, JOINED_ERROR_SIZE, "%.128s: %.100s", path,
			reason);
		return rc;
	}
	rc = joined_parse(j, text, why);
	if (rc < 0)
		snprintf(error, JOINED_ERROR_SIZE, "%.100s: %.150s", path, why);
	explicit_bzero(text, size);
	free(text);
	return rc;
}

static int write_file(const struct join *j, const char *path)
{
	char line[JOIN_TEXT_SIZE + 1];
	int rc;

	join_write(line, j);
	strcat(line, "\n");
	rc = state_file_write(path, line, strlen(line));
	explicit_bzero(line, sizeof(line));
	return rc;
}

int joined_keep(const struct join *j, const char *path)
{
	char directory[PATH_MAX];
	int rc;

	snprintf(directory, sizeof(directory), "%s", path);
	rc = state_home_make(dirname(directory));
	return rc < 0 ? rc : write_file(j, path);
}

int joined_renew(const char *path, const char *const *pins, size_t n)
{
	char error[JOINED_ERROR_SIZE];
	struct join j;
	int rc = joined_read(&j, path, error);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n && i < JOIN_PINS; i++)
		snprintf(j.pins[i], sizeof(j.pins[i]), "%s", pins[i]);
	j.pin_count = n < JOIN_PINS ? n : JOIN_PINS;
	rc = write_file(&j, path);
	join_wipe(&j);
	return rc;
}

int joined_apply(struct settings *s, const struct join *j)
{
	struct join_server *servers =
		conf_alloc(s->conf, j->server_count, sizeof(*servers));
	const char **pins = conf_alloc(s->conf, j->pin_count, sizeof(*pins));

	s->user = settings_copy(s, j->name);
	s->auth_token = settings_copy(s, j->token);
	if (!servers || !pins || !s->user || !s->auth_token)
		return -ENOMEM;
	memcpy(servers, j->servers, j->server_count * sizeof(*servers));
	for (size_t i = 0; i < j->pin_count; i++) {
		pins[i] = settings_copy(s, j->pins[i]);
		if (!pins[i])
			return -ENOMEM;
	}
	s->servers = servers;
	s->server_count = j->server_count;
	s->server_addr = servers[0].host;
	s->server_port = servers[0].port;
	s->tls_pins = (struct conf_strings){ j->pin_count, pins };
	return 0;
}
