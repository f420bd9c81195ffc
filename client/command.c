/* SPDX-License-Identifier: Apache-2.0 */

#include "client/command.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/join_command.h"
#include "client/options.h"
#include "client/words.h"
#include "common/base/address.h"
#include "common/conf/completion.h"
#include "common/conf/error.h"
#include "common/conf/manual.h"
#include "common/crypto/random.h"

#define TOKEN_MAX 4096

void client_command_help(FILE *out)
{
	command_help(&options_command, out);
}

void client_command_manual(FILE *out)
{
	static const struct manual page = { .name = "adit",
		.section = 1,
		.what = "publish a local service through a server",
		.stays = true,
		.more = ".SH FILES\n"
			"The id by which aditd knows this client again is "
			"client-id in $STATE_DIRECTORY, else "
			"$XDG_STATE_HOME/adit, else /var/lib/adit as root, "
			"else ~/.local/state/adit. It is for no other "
			"machine.\n"
			".SH SEE ALSO\n.BR adit.yaml (5),\n.BR aditd (8)\n" };

	manual_command(out, &page, &options_command);
}

void client_command_completion(FILE *out, int shell)
{
	completion_write(out, shell, "adit", &options_command);
}

static int fail(char *error, const char *text, const char *what)
{
	snprintf(error, COMMAND_ERROR, "%.120s%.128s", text, join_hide(what));
	return -EINVAL;
}

/* The token of a file: its first line. */
static int read_token_file(
	const char *path, char token[static TOKEN_MAX], char *error)
{
	FILE *f = fopen(path, "re");
	bool failed = !f;

	token[0] = '\0';
	if (f && !fgets(token, TOKEN_MAX, f))
		failed = ferror(f);
	if (failed)
		snprintf(error, COMMAND_ERROR,
			"--token-file cannot be read: %.120s: %s", path,
			strerror(errno));
	if (f)
		fclose(f);
	if (failed)
		return -EINVAL;
	token[strcspn(token, "\r\n")] = '\0';
	return *token ? 0 : fail(error, "--token-file is empty: ", path);
}

/* From --token, --token-file or ADIT_TOKEN, in this order. */
static int find_token(
	struct options *o, char token[static TOKEN_MAX], char *error)
{
	const char *env = getenv("ADIT_TOKEN");

	if (o->token && o->token_file)
		return fail(error,
			"--token and --token-file exclude each "
			"other",
			"");
	if (o->token_file)
		return read_token_file(o->token_file, token, error);
	snprintf(token, TOKEN_MAX, "%s", o->token ? o->token : env ? env : "");
	if (o->token)
		command_wipe(&o->token);
	return 0;
}

/* "3000" or "host:3000"; many a service listens on ::1 only. */
static int parse_target(const char *text, char host[static ADDRESS_HOST_SIZE],
	uint16_t *port_r, char *error)
{
	char full[ADDRESS_HOST_SIZE + 16];
	bool bare = text[strspn(text, "0123456789")] == '\0';

	snprintf(full, sizeof(full), "%s%.255s",
		bare ? ADDRESS_LOCALHOST ":" : "", text);
	if (address_split(full, host, port_r, 0) < 0)
		return fail(error,
			strstr(text, "://") ? "HOST:PORT is expected, without "
					      "a scheme and a path: "
					    : "not a port from 1 to 65535, or "
					      "host:port: ",
			text);
	return 0;
}

static int set_server(struct settings *s, const char *server, char *error)
{
	char host[ADDRESS_HOST_SIZE];

	if (address_split(server, host, &s->server_port, s->server_port) < 0)
		return fail(error, "--server is not host:port: ", server);
	s->server_addr = settings_copy(s, host);
	return s->server_addr ? 0 : -ENOMEM;
}

/* The type that is called so; CLIENT_PROXY_NONE: none of those. */
static enum client_proxy_type find_type(const char *word)
{
	static const struct {
		const char *word;
		enum client_proxy_type type;
	} types[] = {
		{ "tcp", CLIENT_PROXY_TCP },
		{ "http", CLIENT_PROXY_HTTP },
		{ "https", CLIENT_PROXY_HTTPS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(word, types[i].word))
			return types[i].type;
	return CLIENT_PROXY_NONE;
}

static int add_proxy(struct settings *s, const struct options *o,
	const char *type, const char *target, char *error)
{
	struct client_proxy p = settings_proxy_default();
	char host[ADDRESS_HOST_SIZE], name[64], suffix[7], words[WORDS_SIZE];
	int rc = parse_target(target, host, &p.local_port, error);

	if (rc < 0)
		return rc;
	random_hex(suffix, 3);
	snprintf(name, sizeof(name), "%s-%u-%s", type, p.local_port, suffix);
	p.name = o->name ? o->name : name;
	p.type = find_type(type);
	p.local_ip = host;
	p.remote_port = o->remote_port;
	p.custom_domains.n = o->domains.n;
	p.custom_domains.v = (const char **)o->domains.v;
	p.subdomain = o->subdomain;
	if (p.type != CLIENT_PROXY_TCP && !o->domains.n && !o->subdomain) {
		words_make(words, s->user, host, p.local_port, 0);
		p.subdomain = words;
		p.from_words = true;
	}
	return settings_add_proxy(s, &p);
}

/* The first error of a check, as one line. */
static int check(struct settings *s, char *error)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	int rc = errors ? settings_check(s, errors) : -ENOMEM;

	if (rc == -EINVAL)
		fail(error, errors->v[0].text, "");
	free(errors);
	return rc;
}

static int with_token(struct settings *s, struct options *o, char *error)
{
	char token[TOKEN_MAX];
	int rc = find_token(o, token, error);

	if (rc == 0) {
		s->auth_token = settings_copy(s, token);
		rc = s->auth_token ? 0 : -ENOMEM;
	}
	explicit_bzero(token, sizeof(token));
	if (rc == 0)
		rc = set_server(
			s, o->server ? o->server : JOIN_NO_SERVER, error);
	return rc;
}

/* Where the server is, and who we are to it; *note is kept for the user. */
static int find_server(struct settings *s, struct options *o,
	char note[static JOINED_ERROR_SIZE], char *error)
{
	struct join_choice choice = { .text = o->join,
		.file = o->join_file,
		.elsewhere = o->server       ? "--server"
			     : o->token      ? "--token"
			     : o->token_file ? "--token-file"
					     : NULL,
		.server = o->server };
	char path[PATH_MAX];
	struct join j;
	int rc = join_choose(&j, path, &choice, note);

	if (rc < 0) {
		snprintf(error, COMMAND_ERROR, "%s", note);
		return rc;
	}
	if (rc == 0)
		return with_token(s, o, error);
	rc = joined_apply(s, &j);
	join_wipe(&j);
	s->join_file = settings_copy(s, path);
	return s->join_file ? rc : -ENOMEM;
}

static int one_line(struct client_command *c, struct options *o,
	const struct command_words *words, char *error)
{
	struct settings *s;
	int rc = settings_new_default(&s);

	if (rc < 0)
		return rc;
	rc = find_server(s, o, c->note, error);
	if (rc == 0 && words->n > 1)
		rc = add_proxy(s, o, words->v[0], words->v[1], error);
	if (rc == 0)
		rc = check(s, error);
	if (rc < 0)
		settings_free(&s);
	else
		c->settings = s;
	return rc;
}

/* A command, or a service that stands behind one. */
static int unknown(const char *word, char *error)
{
	char host[ADDRESS_HOST_SIZE], quoted[CONF_QUOTED];
	uint16_t port;

	if (parse_target(word, host, &port, error) < 0)
		return command_unknown(&options_command, word, error);
	snprintf(error, COMMAND_ERROR,
		"unknown command %.120s; http, https or tcp goes before a port",
		conf_quote(quoted, word));
	return -EINVAL;
}

static int with_config(struct client_command *c, const struct options *o,
	const struct command_words *words, char *error)
{
	bool verify = words->n > 0 && !strcmp(words->v[0], "verify");

	if (words->n > 0 && !verify)
		return unknown(words->v[0], error);
	if (command_alone(words, error) < 0)
		return -EINVAL;
	if (!o->config)
		return fail(error,
			"no configuration: run adit -c FILE "
			"(config/adit.yaml is a sample), or adit http PORT",
			"");
	c->config = o->config;
	c->requests = o->requests;
	c->kind = o->dump  ? COMMAND_DUMP
		  : verify ? COMMAND_VERIFY
			   : COMMAND_RUN;
	return 0;
}

/* Out of argv, where others see it. */
static int take_secret(
	const char **argument, char out[static JOINED_INPUT_SIZE], char *error)
{
	bool fits;

	if (!*argument)
		return 0;
	fits = snprintf(out, JOINED_INPUT_SIZE, "%s", *argument) <
	       (int)JOINED_INPUT_SIZE;
	command_wipe(argument);
	*argument = out;
	return fits ? 0 : fail(error, "the join string is too long", "");
}

/* What would run otherwise, behind the word doctor. */
static int doctor(struct client_command *c, struct options *o,
	const struct command_words *words, char *error)
{
	struct command_words rest = { .n = words->n - 1 };

	memcpy(rest.v, words->v + 1, rest.n * sizeof(*rest.v));
	c->kind = COMMAND_DOCTOR;
	c->config = o->config;
	if (o->config && rest.n == 0)
		return 0;
	if (rest.n != 0 &&
		(rest.n != 2 || find_type(rest.v[0]) == CLIENT_PROXY_NONE))
		return fail(error,
			"doctor goes with -c FILE, or with what would run: "
			"http PORT ...",
			"");
	return one_line(c, o, &rest, error);
}

static int completion(struct client_command *c,
	const struct command_words *words, char *error)
{
	c->kind = COMMAND_COMPLETION;
	c->shell = words->n == 2 ? completion_shell(words->v[1]) : -1;
	return c->shell >= 0 ? 0
			     : fail(error, "completion: " COMPLETION_SHELLS,
				       " is expected");
}

static int bench(struct client_command *c, struct options *o,
	const struct command_words *words, char *error)
{
	if (command_alone(words, error) < 0)
		return -EINVAL;
	c->kind = COMMAND_BENCH;
	c->bench.seconds = o->seconds;
	c->bench.connections = o->connections;
	c->bench.json = o->json;
	return one_line(c, o, words, error);
}

static int join(
	struct client_command *c, struct command_words *words, char *error)
{
	/* What is too much is not shown: it may be a part of the string. */
	if (words->n > 2)
		return fail(error, "join takes one join string, in quotes", "");
	c->kind = COMMAND_JOIN;
	return take_secret(&words->v[1], c->join, error);
}

static int parse_words(struct client_command *c, struct options *o,
	struct command_words *words, char *error)
{
	const char *word = words->n > 0 ? words->v[0] : "";
	char quoted[CONF_QUOTED];

	if (!strcmp(word, "join"))
		return join(c, words, error);
	if (!strcmp(word, "bench"))
		return bench(c, o, words, error);
	if (!strcmp(word, "doctor"))
		return doctor(c, o, words, error);
	if (!strcmp(word, "completion"))
		return completion(c, words, error);
	if (find_type(word) == CLIENT_PROXY_NONE)
		return with_config(c, o, words, error);
	if (words->n < 2)
		return fail(error, word, " needs a local port: http 3000");
	if (words->n > 2) {
		snprintf(error, COMMAND_ERROR,
			"%.5s takes one local port: %.120s is too much", word,
			conf_quote(quoted, words->v[2]));
		return -EINVAL;
	}
	c->kind = o->dump ? COMMAND_DUMP : COMMAND_ONE_LINE;
	c->requests = !o->no_requests;
	return one_line(c, o, words, error);
}

int client_command_parse(struct client_command *c, int argc, char **argv,
	char error[static COMMAND_ERROR])
{
	struct command_words words = { 0 };
	struct options o = { .seconds = 3, .connections = 32 };
	char join[JOINED_INPUT_SIZE];
	int rc = command_parse(&options_command, argc, argv, &o, &words, error);

	memset(c, 0, sizeof(*c));
	if (rc < 0)
		return rc;
	if (o.help || o.version) {
		c->kind = o.help ? COMMAND_HELP : COMMAND_VERSION;
		return 0;
	}
	rc = take_secret(&o.join, join, error);
	if (rc == 0)
		rc = parse_words(c, &o, &words, error);
	explicit_bzero(join, sizeof(join));
	return rc;
}
