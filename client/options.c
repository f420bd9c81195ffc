/* SPDX-License-Identifier: Apache-2.0 */

#include "client/options.h"

#include <string.h>

#include "common/conf/completion.h"

/* What options go with: a file, a service, one with a name, a server. */
#define FILES "-c, verify, doctor -c"
#define NAMED "http, https, doctor http, doctor https"
#define ONE_SERVICE NAMED ", tcp, doctor tcp"
#define ONE_SERVER ONE_SERVICE ", bench, doctor"

static const struct command_option options[] = {
	{ .name = "config",
		.letter = 'c',
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, config),
		.with = FILES,
		.doc = "run with this configuration (YAML or JSON)" },
	{ .name = "join",
		.argument = "STRING",
		COMMAND_DEF(STRING, struct options, join),
		.with = ONE_SERVER,
		.key = "serverAddr, user, auth.token and transport.tls.pins",
		.doc = "the server and its user, as aditd prints them; -: "
		       "read from standard input; kept for later commands" },
	{ .name = "join-file",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, join_file),
		.with = ONE_SERVER,
		.key = "serverAddr, user, auth.token and transport.tls.pins",
		.doc = "the same from a file (or ADIT_JOIN_FILE)" },
	{ .name = "server",
		.letter = 's',
		.argument = "HOST:PORT",
		COMMAND_DEF(STRING, struct options, server),
		.with = ONE_SERVER,
		.key = "serverAddr and serverPort",
		.doc = "the server, without a join string (default "
		       "127.0.0.1:7000)" },
	{ .name = "token-file",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, token_file),
		.with = ONE_SERVER,
		.key = "auth.tokenSource",
		.doc = "read the token from this file" },
	{ .name = "token",
		.argument = "TOKEN",
		COMMAND_DEF(STRING, struct options, token),
		.with = ONE_SERVER,
		.key = "auth.token",
		.doc = "the token (others may see it: prefer ADIT_TOKEN)" },
	{ .name = "domain",
		.letter = 'd',
		.argument = "NAME",
		COMMAND_DEF(WORDS, struct options, domains),
		.with = NAMED,
		.key = "customDomains",
		.doc = "http, https: serve visitors of this host; may be "
		       "repeated" },
	{ .name = "subdomain",
		.argument = "NAME",
		COMMAND_DEF(STRING, struct options, subdomain),
		.with = NAMED,
		.key = "subdomain",
		.doc = "http, https: serve this name below the server's "
		       "domain (default: two words)" },
	{ .name = "remote-port",
		.letter = 'r',
		.argument = "PORT",
		COMMAND_DEF(PORT, struct options, remote_port),
		.min = 1,
		.max = 65535,
		.with = "tcp, doctor tcp",
		.key = "remotePort",
		.doc = "tcp: the public port (default: the server chooses)" },
	{ .name = "name",
		.letter = 'n',
		.argument = "NAME",
		COMMAND_DEF(STRING, struct options, name),
		.with = ONE_SERVICE,
		.key = "name",
		.doc = "what the proxy is called (default: made up)" },
	{ .name = "requests",
		COMMAND_DEF(FLAG, struct options, requests),
		.with = "-c",
		.doc = "with -c: print each request of the http proxies, and "
		       "what they add up to" },
	{ .name = "no-requests",
		COMMAND_DEF(FLAG, struct options, no_requests),
		.with = "http",
		.doc = "http: print the address only, not each request" },
	{ .name = "duration",
		.argument = "SECONDS",
		COMMAND_DEF(INT, struct options, seconds),
		.min = 1,
		.max = 3600,
		.with = "bench",
		.doc = "bench: how long each of the four parts takes "
		       "(default 3)" },
	{ .name = "connections",
		.argument = "N",
		COMMAND_DEF(INT, struct options, connections),
		.min = 1,
		.max = 1000,
		.with = "bench",
		.doc = "bench: of the part with many (default 32)" },
	{ .name = "json",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, json),
		.with = "bench",
		.doc = "bench: write the numbers there; -: in place of text" },
	{ .name = "dump-config",
		COMMAND_DEF(FLAG, struct options, dump),
		.with = "-c, http, https, tcp",
		.doc = "print the effective configuration, secrets masked" },
	{ .name = "help",
		.letter = 'h',
		COMMAND_DEF(FLAG, struct options, help),
		.doc = "print this text" },
	{ .name = "version",
		.letter = 'v',
		COMMAND_DEF(FLAG, struct options, version),
		.doc = "print the version" },
};

static const struct command_word words_known[] = {
	{ "http", "", "publish a web service on this machine" },
	{ "https", "", "publish one that has certificates of its own" },
	{ "tcp", "", "publish any other service" },
	{ "join", "", "keep a join string for later commands" },
	{ "bench", "", "measure the way through the server" },
	{ "doctor", "", "say what is wrong on the way to the server" },
	{ "verify", "", "only check the configuration" },
	{ "http", "doctor", "with this service" },
	{ "https", "doctor", "with this service" },
	{ "tcp", "doctor", "with this service" },
	COMPLETION_WORDS,
};

#define NOT_YET "not supported yet; tcp, http and https are"

static const struct command_foreign foreign[] = {
	{ "help", "--help prints what there is" },
	{ "version", "--version prints it" },
	{ "udp", NOT_YET },
	{ "stcp", NOT_YET },
	{ "sudp", NOT_YET },
	{ "xtcp", NOT_YET },
	{ "tcpmux", NOT_YET },
	{ "tls", "https passes TLS on as it is" },
	{ "reload", "SIGHUP has an adit with -c read its file again" },
};

static const char *which(const void *base, const char *name)
{
	const struct options *o = base;

	if (o->help || o->version)
		return NULL;
	if (o->config && !strcmp(name, "doctor"))
		return "doctor -c";
	if (!*name)
		return o->config ? "-c" : NULL;
	return name;
}

const struct command options_command = {
	.usage = "adit http [HOST:]PORT [--join STRING] [--domain NAME]\n"
		 "adit join [STRING]\n"
		 "adit https [HOST:]PORT [--domain NAME]\n"
		 "adit tcp [HOST:]PORT [--remote-port PORT]\n"
		 "adit bench [--server HOST:PORT]\n"
		 "adit doctor [-c FILE | http PORT ...]\n"
		 "adit -c FILE\n"
		 "adit verify -c FILE\n"
		 "adit completion bash | zsh | fish\n",
	.about = "adit runs beside a service that the internet cannot "
		 "reach, and publishes it\nthrough aditd. What it has to "
		 "know comes from a join string, which join keeps "
		 "in\n$XDG_CONFIG_HOME/adit/join, else in "
		 "~/.config/adit/join; or from --server and a\ntoken, by "
		 "the environment variable ADIT_TOKEN, --token-file or "
		 "--token. doctor\nlooks at each step of the way to the "
		 "server and at the local services, and says\nwhat to do; "
		 "it exits with 1 if anything is wrong. bench publishes an "
		 "echo\nservice of its own, and says how fast the way to it "
		 "is and what limits it.\nverify only checks a "
		 "configuration. adit exits with 0 when done or drained, "
		 "with\n1 when it cannot run, with 2 when the command line "
		 "or the configuration is\nwrong.\n",
	.options = options,
	.n = ARRAY_SIZE(options),
	.words = words_known,
	.word_count = ARRAY_SIZE(words_known),
	.foreign = foreign,
	.foreign_count = ARRAY_SIZE(foreign),
	.which = which,
};
