/* SPDX-License-Identifier: Apache-2.0 */

#include "bench/command.h"

#include "common/conf/manual.h"

static const struct command_option options[] = {
	{ .name = "connections",
		.letter = 'c',
		.argument = "N",
		COMMAND_DEF(INT, struct load_options, connections),
		.min = 1,
		.max = 100000,
		.doc = "connections that make exchanges (default 10)" },
	{ .name = "duration",
		.letter = 'd',
		.argument = "SECONDS",
		COMMAND_DEF(INT, struct load_options, seconds),
		.min = 1,
		.max = 86400,
		.doc = "how long (default 10)" },
	{ .name = "rate",
		.letter = 'r',
		.argument = "N",
		COMMAND_DEF(INT, struct load_options, rate),
		.min = 1,
		.max = 10000000,
		.doc = "open loop: so many exchanges are due a second" },
	{ .name = "size",
		.letter = 's',
		.argument = "BYTES",
		COMMAND_DEF(INT, struct load_options, size),
		.min = 1,
		.max = INT64_C(1) << 40,
		.doc = "tcp: bytes of a message (default 32)" },
	{ .name = "close",
		COMMAND_DEF(FLAG, struct load_options, close),
		.doc = "a new connection for each exchange" },
	{ .name = "idle",
		.argument = "N",
		COMMAND_DEF(INT, struct load_options, idle),
		.min = 1,
		.max = 100000,
		.doc = "further connections that do nothing" },
	{ .name = "slow",
		.argument = "N",
		COMMAND_DEF(INT, struct load_options, slow),
		.min = 1,
		.max = 100000,
		.doc = "further connections that ask and never read" },
	{ .name = "sources",
		.argument = "N",
		COMMAND_DEF(INT, struct load_options, sources),
		.min = 1,
		.max = 250,
		.doc = "to loopback: from 127.0.0.2 and so many in all" },
	{ .name = "host",
		.argument = "NAME",
		COMMAND_DEF(STRING, struct load_options, host),
		.doc = "http: the Host (default: as in the address)" },
	{ .name = "json",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct load_options, json),
		.doc = "write the result as JSON too; -: in place of text" },
	{ .name = "quiet",
		.letter = 'q',
		COMMAND_DEF(FLAG, struct load_options, quiet),
		.doc = "no progress on the terminal" },
	{ .name = "help",
		.letter = 'h',
		COMMAND_DEF(FLAG, struct load_options, help),
		.doc = "print this text" },
	{ .name = "version",
		.letter = 'v',
		COMMAND_DEF(FLAG, struct load_options, version),
		.doc = "print the version" },
};

const struct command load_command = {
	.usage = "adit-load [options] http://HOST:PORT/PATH\n"
		 "adit-load [options] tcp://HOST:PORT\n",
	.about = "adit-load makes exchanges with a server and measures them: "
		 "http, a GET and its\nresponse; tcp, a message that an echo "
		 "service sends back, every byte compared.\nCtrl-C prints what "
		 "was measured so far. It exits with 0, with 1 when it cannot\n"
		 "run or no exchange succeeded, with 2 when the command line "
		 "is wrong.\n",
	.options = options,
	.n = ARRAY_SIZE(options),
};

void load_command_manual(FILE *out)
{
	static const struct manual page = { .name = "adit-load",
		.section = 1,
		.what = "a load generator for http and echo services",
		.more = ".SH SEE ALSO\n.BR adit (1)\n" };

	manual_command(out, &page, &load_command);
}
