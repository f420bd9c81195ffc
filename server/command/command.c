/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/command.h"

#include <string.h>

#include "common/conf/completion.h"
#include "common/conf/manual.h"

#define TOKEN "token, token new, token list, token renew, token revoke"
#define IDENTITY "identity, identity next, identity activate"
#define HEALTH "health, health ready"

static const struct command_option options[] = {
	{ .name = "config",
		.letter = 'c',
		.argument = "FILE",
		COMMAND_DEF(STRING, struct server_options, config),
		.with = "aditd, verify, reload, upgrade, " TOKEN ", " IDENTITY
			", " HEALTH,
		.doc = "run with this configuration (YAML or JSON)" },
	{ .name = "dump-config",
		COMMAND_DEF(FLAG, struct server_options, dump),
		.with = "aditd",
		.doc = "with -c: print the effective configuration, secrets "
		       "masked" },
	{ .name = "frpc",
		COMMAND_DEF(FLAG, struct server_options, frpc),
		.with = "token new, token renew",
		.doc = "token new, renew: make a secret for its frpc, too" },
	{ .name = "help",
		.letter = 'h',
		COMMAND_DEF(FLAG, struct server_options, help),
		.doc = "print this text" },
	{ .name = "version",
		.letter = 'v',
		COMMAND_DEF(FLAG, struct server_options, version),
		.doc = "print the version" },
};

static const struct command_word words[] = {
	{ "verify", "", "only check the configuration" },
	{ "reload", "", "have aditd read its configuration again" },
	{ "token", "", "make, list, renew or take out users" },
	{ "new", "token", "make a user, and show its token" },
	{ "list", "token", "who there is" },
	{ "renew", "token", "give a user another token" },
	{ "revoke", "token", "take a user out" },
	{ "health", "", "ask the aditd that runs how it is" },
	{ "ready", "health", "whether it takes visitors, too" },
	{ "identity", "", "by what adit knows this server" },
	{ "next", "identity", "make the key that comes after" },
	{ "activate", "identity", "put that key in place" },
	{ "upgrade", "", "take over from the aditd that runs" },
	COMPLETION_WORDS,
};

static const struct command_foreign foreign[] = {
	{ "help", "--help prints what there is" },
	{ "version", "--version prints it" },
	{ "http", "adit publishes a service" },
	{ "tcp", "adit publishes a service" },
	{ "join", "adit joins a server" },
	{ "start", "aditd -c FILE runs it, as a service manager does" },
	{ "stop", "SIGTERM ends the aditd that runs" },
	{ "restart", "upgrade puts another one in its place" },
	{ "status", "health tells it" },
};

static const char *which(const void *base, const char *name)
{
	const struct server_options *o = base;

	if (o->help || o->version)
		return NULL;
	return *name ? name : "aditd";
}

const struct command server_command = {
	.usage = "aditd\n"
		 "aditd -c FILE\n"
		 "aditd verify -c FILE\n"
		 "aditd token new NAME [--frpc] [-c FILE]\n"
		 "aditd token list [-c FILE]\n"
		 "aditd token renew NAME [--frpc] [-c FILE]\n"
		 "aditd token revoke NAME [-c FILE]\n"
		 "aditd reload [-c FILE]\n"
		 "aditd health [ready] [-c FILE]\n"
		 "aditd identity [next | activate] [-c FILE]\n"
		 "aditd upgrade [-c FILE]\n"
		 "aditd completion bash | zsh | fish\n",
	.about = "aditd runs on a machine that the internet can reach, and "
		 "publishes services for\nadit and frpc clients. Without a "
		 "configuration it makes a user in the state\ndirectory the "
		 "first time, keeps its join string there in join.txt, and "
		 "says how\nto use it. It exits with 0 when done or "
		 "drained, with 1 when it cannot run, with\n2 when the "
		 "command line or the configuration is wrong. verify only "
		 "checks a\nconfiguration, and the files that it names. "
		 "token makes, lists and takes out\nusers in usersFile, or "
		 "in users in the state directory; renew puts a new "
		 "token\nin place of the old ones, which let nobody in any "
		 "more, and all else of the user\nstays. A new token, and "
		 "the join string with it, is shown this once. No file "
		 "is\nchanged that has comments or templates. identity "
		 "shows by what adit knows the\nserver; next makes the key "
		 "that comes after, of which clients hear when they "
		 "log\nin, and activate puts it in place. health asks the "
		 "aditd that runs with the same\nconfiguration whether its "
		 "workers answer, health ready whether it takes\nvisitors, "
		 "too; both tell by one line and the exit code. reload has "
		 "it read its\nconfiguration again, as SIGHUP does, and "
		 "prints which keys have changed, and\nwhich of them need a "
		 "restart; with 1 it says what is wrong, and all is as "
		 "it\nwas. upgrade becomes the server in place of the aditd "
		 "that has the state\ndirectory, in the background, and no "
		 "connection is dropped: it gets its ports,\nits clients, "
		 "and visitors between two requests, and the old one ends "
		 "when what\nit had begun is over, or after drainTimeout. "
		 "It exits with 0 once that is so; if\nthe new one cannot "
		 "start, the old one goes on.\n",
	.options = options,
	.n = ARRAY_SIZE(options),
	.words = words,
	.word_count = ARRAY_SIZE(words),
	.foreign = foreign,
	.foreign_count = ARRAY_SIZE(foreign),
	.which = which,
};

void server_command_manual(FILE *out)
{
	static const struct manual page = { .name = "aditd",
		.section = 8,
		.what = "the server of a tunnel",
		.stays = true,
		.more = ".SH FILES\n"
			"The state directory is stateDir, else "
			"$STATE_DIRECTORY, else $XDG_STATE_HOME/aditd, else "
			"/var/lib/aditd as root, else "
			"~/.local/state/aditd.\n"
			".SH SEE ALSO\n.BR aditd.yaml (5),\n.BR adit (1)\n" };

	manual_command(out, &page, &server_command);
}
