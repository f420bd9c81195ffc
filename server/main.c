/* SPDX-License-Identifier: Apache-2.0 */

/* aditd: command line, configuration, and the server. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/output.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/conf/completion.h"
#include "common/crypto/library.h"
#include "server/command/command.h"
#include "server/command/first_run.h"
#include "server/command/health_command.h"
#include "server/command/identity_command.h"
#include "server/command/reload_command.h"
#include "server/run_as.h"
#include "server/server.h"
#include "server/sizing.h"
#include "server/sources.h"
#include "server/command/token_command.h"
#include "server/command/upgrade_command.h"

/* Exit codes (see aditd --help). */
enum {
	EXIT_DONE = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2
};

static int usage_error(const char *text)
{
	fprintf(stderr, "aditd: %s (see aditd --help)\n", text);
	return EXIT_USAGE;
}

/* What a command ends with that has printed; nothing is printed after that. */
static int printed(int rc)
{
	return output_end("aditd") ? rc : EXIT_RUNTIME;
}

/* Where the log goes: stdout, or the file, opened for good. Or -errno. */
static int open_log(const char *to)
{
	return strcmp(to, "console") ? log_open_file(to) : STDOUT_FILENO;
}

/* Print the errors, which are freed, and tell the exit code. */
static int tell(struct conf_errors *errors, int rc)
{
	conf_errors_print(errors, stderr);
	free(errors);
	if (rc == 0)
		return EXIT_DONE;
	return rc == -ENOMEM ? EXIT_RUNTIME : EXIT_USAGE;
}

/* What would be refused later is refused before anything is opened. */
static int check_start(const struct settings *s)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	int rc;

	if (!errors)
		return EXIT_RUNTIME;
	rc = users_guard(s, errors);
	if (rc == 0)
		rc = sources_check(s, errors);
	return tell(errors, rc);
}

static int only_verify(struct settings *s, const char *file)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	int rc;

	if (!errors)
		return EXIT_RUNTIME;
	run_as_to_look(s);
	/* They may be made later, or be in another one's state directory. */
	if (users_guard(s, errors) < 0) {
		fputs("warning: ", stderr);
		conf_errors_print(errors, stderr);
		errors->n = 0;
	}
	rc = tell(errors, sources_check(s, errors));
	/* frp's text */
	if (rc == EXIT_DONE)
		printf("frps: the configuration file %s syntax is ok\n", file);
	return rc;
}

/*
 * Without a `file` nobody configured it: `first` tells who started it, or is
 * NULL. With `upgrade`, in place of the aditd that runs.
 */
static int serve(struct settings *s, const char *file,
	const struct first_run *first, bool upgrade)
{
	struct server *server;
	int fd, rc, told = -1;

	if (run_as(s) < 0)
		return EXIT_RUNTIME;
	rc = file ? check_start(s) : EXIT_DONE;
	if (rc != EXIT_DONE)
		return rc;
	if (!s->sandbox)
		process_allow_dumps();
	fd = open_log(s->log_to);
	if (fd < 0) {
		fprintf(stderr, "aditd: log.to %s: %s%s%s\n", s->log_to,
			strerror(-fd), *s->run_as ? ", as runAs " : "",
			s->run_as);
		return EXIT_RUNTIME;
	}
	log_open(fd, (enum log_level)s->log_level,
		(enum log_format)s->log_format);
	log_set_color(!s->log_disable_color);
	if (fd != STDOUT_FILENO) {
		log_set_file(s->log_to);
		/* Who starts it is to see why it does not serve. */
		log_set_echo(STDERR_FILENO);
	}
	sizing_workers(s);
	sizing_fit(s, memory_limit(""));
	if (upgrade && (told = upgrade_command_fork()) < 0)
		return EXIT_RUNTIME;
	if (server_create(&server, s, file, upgrade) < 0)
		return EXIT_RUNTIME;
	if (upgrade)
		upgrade_command_tell(told);
	else if (first)
		first_run_tell(first, s);
	log_set_echo(-1);
	rc = server_run(server);
	server_destroy(&server);
	if (fd != STDOUT_FILENO)
		close(fd);
	return rc;
}

/* A command with the settings of the file, or the defaults. */
static int with_words(
	const struct server_options *o, const struct command_words *words)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct settings *s = NULL;
	int rc;

	if (!errors)
		return EXIT_RUNTIME;
	rc = o->config ? settings_load(&s, o->config, errors)
		       : settings_new_default(&s);
	conf_errors_print(errors, stderr);
	free(errors);
	/* For a reload the file that it is about is as wrong as any other. */
	if (rc < 0)
		return rc == -ENOMEM || !strcmp(words->v[0], "reload")
			       ? EXIT_RUNTIME
			       : EXIT_USAGE;
	if (run_as(s) < 0)
		rc = EXIT_RUNTIME;
	else if (!strcmp(words->v[0], "token"))
		rc = token_command(o, s, words);
	else if (!strcmp(words->v[0], "health"))
		rc = health_command(s, words);
	else if (!strcmp(words->v[0], "reload"))
		rc = reload_command(s, words);
	else
		rc = identity_command(s, words);
	settings_free(&s);
	return printed(rc);
}

static int complete(const struct command_words *words)
{
	int shell = words->n == 2 ? completion_shell(words->v[1]) : -1;

	if (shell < 0)
		return usage_error(
			"completion: " COMPLETION_SHELLS " is expected");
	completion_write(stdout, shell, "aditd", &server_command);
	return printed(EXIT_DONE);
}

/* Load the file, then serve, dump or only verify. */
static int with_settings(
	const struct server_options *o, bool verify, bool upgrade)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct settings *s = NULL;
	int rc;

	if (!errors)
		return EXIT_RUNTIME;
	rc = tell(errors, settings_load(&s, o->config, errors));
	if (rc != EXIT_DONE)
		return rc;
	if (o->dump) {
		settings_dump(s, stdout);
		rc = printed(EXIT_DONE);
	} else if (verify) {
		rc = printed(only_verify(s, o->config));
	} else {
		rc = serve(s, o->config, NULL, upgrade);
	}
	settings_free(&s);
	return rc;
}

static int without_settings(bool upgrade)
{
	struct first_run first;
	struct settings *s;
	int rc;

	if (!first_run_prepare(&first, &s))
		return EXIT_RUNTIME;
	rc = serve(s, NULL, &first, upgrade);
	explicit_bzero(&first, sizeof(first));
	settings_free(&s);
	return rc;
}

int main(int argc, char **argv)
{
	struct server_options o = { 0 };
	struct command_words words = { 0 };
	char error[COMMAND_ERROR], library[LIBRARY_SIZE];
	bool verify, upgrade;

	if (!process_keep_standard("aditd"))
		return EXIT_RUNTIME;
	process_forbid_dumps();
	if (command_parse(&server_command, argc, argv, &o, &words, error) < 0)
		return usage_error(error);
	if (o.help) {
		command_help(&server_command, stdout);
		settings_help(stdout);
		return printed(EXIT_DONE);
	}
	if (o.version) {
		library_describe(library);
		printf("aditd %s\n%s\n", ADIT_VERSION, library);
		return printed(EXIT_DONE);
	}
	if (words.n > 0 && (!strcmp(words.v[0], "token") ||
				   !strcmp(words.v[0], "health") ||
				   !strcmp(words.v[0], "reload") ||
				   !strcmp(words.v[0], "identity")))
		return with_words(&o, &words);
	if (words.n > 0 && !strcmp(words.v[0], "completion"))
		return complete(&words);
	verify = words.n > 0 && !strcmp(words.v[0], "verify");
	upgrade = words.n > 0 && !strcmp(words.v[0], "upgrade");
	if (words.n > 0 && !verify && !upgrade) {
		if (command_unknown(&server_command, words.v[0], error) < 0)
			return usage_error(error);
	}
	if (command_alone(&words, error) < 0)
		return usage_error(error);
	if (!o.config && (verify || o.dump))
		return usage_error("no configuration is given: -c FILE");
	if (!o.config)
		return without_settings(upgrade);
	return with_settings(&o, verify, upgrade);
}
