/* SPDX-License-Identifier: Apache-2.0 */

/* adit: what the command line asks for, and the client. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/crew.h"
#include "client/doctor.h"
#include "client/join_command.h"
#include "client/screen.h"
#include "client/sizing.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/output.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/crypto/library.h"

/* Exit codes (see adit --help). */
enum {
	EXIT_DONE = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2
};

/* What a command ends with that has printed; nothing is printed after that. */
static int printed(int rc)
{
	return output_end("adit") ? rc : EXIT_RUNTIME;
}

/* Where the log goes: stdout, stderr, or the file. Or -errno. */
static int open_log(const char *to, bool one_line)
{
	if (!strcmp(to, "console"))
		return one_line ? STDERR_FILENO : STDOUT_FILENO;
	return log_open_file(to);
}

/* It may go to a terminal, and nobody may vouch for the server. */
static void print_address(void *arg, const char *address)
{
	(void)arg;
	for (; *address; address++)
		putchar(*address > ' ' && *address <= '~' ? *address : '?');
	putchar('\n');
	fflush(stdout);
}

/* The screen of the requests; *screen_r is NULL if none are to be printed. */
static int make_screen(struct screen **screen_r, const struct settings *s,
	const struct client_command *command, int log_fd)
{
	struct screen_params params = { .fd = STDOUT_FILENO,
		.log_fd = log_fd,
		.color = !s->log_disable_color };
	int proxies = 0;

	*screen_r = NULL;
	for (size_t i = 0; i < s->proxies.n; i++)
		if (s->proxies.v[i].type == CLIENT_PROXY_HTTP &&
			settings_proxy_wanted(s, &s->proxies.v[i]))
			proxies++;
	if (!command->requests || proxies == 0)
		return 0;
	params.names = proxies > 1;
	*screen_r = screen_create(&params);
	return *screen_r ? 0 : -ENOMEM;
}

/* Run the crew, and the screen if there is one. */
static int run(struct crew *crew, struct screen *screen)
{
	int rc;

	if (screen &&
		(crew_watch(crew, screen) < 0 || screen_start(screen) < 0)) {
		log_error("no memory for the requests");
		return EXIT_RUNTIME;
	}
	rc = crew_run(crew);
	/* Its thread hangs in a write and still has the names of proxies. */
	if (screen && !screen_end(screen))
		_exit(rc);
	return rc;
}

static int serve(struct settings *s, const struct client_command *command)
{
	bool one_line = command->kind == COMMAND_ONE_LINE;
	int fd = open_log(s->log_to, one_line), rc = EXIT_RUNTIME;
	crew_announced_fn *announced = one_line ? print_address : NULL;
	struct screen *screen;
	struct crew crew;

	if (!s->sandbox)
		process_allow_dumps();
	if (fd < 0) {
		fprintf(stderr, "adit: log.to %s: %s\n", s->log_to,
			strerror(-fd));
		return EXIT_RUNTIME;
	}
	log_open(fd, (enum log_level)s->log_level,
		(enum log_format)s->log_format);
	log_set_color(!s->log_disable_color);
	if (fd > STDERR_FILENO)
		log_set_file(s->log_to);
	sizing_workers(s);
	sizing_fit(s, memory_limit(""));
	if (make_screen(&screen, s, command, fd) < 0) {
		log_error("no memory for the requests");
		return EXIT_RUNTIME;
	}
	if (one_line && screen)
		announced = screen_announce;
	if (crew_create(&crew, s, announced, screen) == 0) {
		if (!one_line)
			crew_follow(&crew, command->config);
		rc = run(&crew, screen);
		crew_destroy(&crew);
	}
	screen_destroy(&screen);
	if (fd > STDERR_FILENO)
		close(fd);
	return rc;
}

/* Load the file, then serve, dump or only verify. */
static int with_file(const struct client_command *command)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct settings *s = NULL;
	int rc;

	if (!errors)
		return EXIT_RUNTIME;
	rc = settings_load(&s, command->config, errors);
	conf_errors_print(errors, stderr);
	free(errors);
	if (rc < 0)
		return rc == -ENOMEM ? EXIT_RUNTIME : EXIT_USAGE;
	if (command->kind == COMMAND_DUMP)
		settings_dump(s, stdout);
	else if (command->kind == COMMAND_VERIFY)
		/* frp's text */
		printf("frpc: the configuration file %s syntax is ok\n",
			command->config);
	rc = command->kind == COMMAND_RUN ? serve(s, command)
					  : printed(EXIT_DONE);
	settings_free(&s);
	return rc;
}

static int diagnose(struct client_command *command)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct settings *s = command->settings;
	const char *source = command->config      ? command->config
			     : s && *s->join_file ? s->join_file
						  : "the command line";
	int rc = errors ? 0 : -ENOMEM;

	if (rc == 0 && command->config)
		rc = settings_load(&s, command->config, errors);
	if (rc == 0)
		rc = doctor_run(s, source, command->note, stdout);
	else
		rc = errors ? doctor_refuse(errors, source, stdout)
			    : EXIT_RUNTIME;
	free(errors);
	settings_free(&s);
	return printed(rc);
}

/* Which server it is to be, where that may surprise. */
static void tell_note(const struct client_command *command)
{
	if (*command->note && command->kind != COMMAND_DOCTOR)
		fprintf(stderr, "adit: %s\n", command->note);
}

int main(int argc, char **argv)
{
	struct client_command command;
	char error[COMMAND_ERROR] = "no memory", library[LIBRARY_SIZE];
	int rc;

	if (!process_keep_standard("adit"))
		return EXIT_RUNTIME;
	process_forbid_dumps();
	rc = client_command_parse(&command, argc, argv, error);
	if (rc < 0) {
		fprintf(stderr, "adit: %s (see adit --help)\n", error);
		return rc == -ENOMEM ? EXIT_RUNTIME : EXIT_USAGE;
	}
	tell_note(&command);
	switch (command.kind) {
	case COMMAND_HELP:
		client_command_help(stdout);
		settings_help(stdout);
		return printed(EXIT_DONE);
	case COMMAND_VERSION:
		library_describe(library);
		printf("adit %s\n%s\n", ADIT_VERSION, library);
		return printed(EXIT_DONE);
	case COMMAND_JOIN:
		rc = join_command(command.join);
		explicit_bzero(command.join, sizeof(command.join));
		return rc == 0         ? printed(EXIT_DONE)
		       : rc == -EINVAL ? EXIT_USAGE
				       : EXIT_RUNTIME;
	case COMMAND_ONE_LINE:
		rc = serve(command.settings, &command);
		settings_free(&command.settings);
		return rc;
	case COMMAND_BENCH:
		rc = bench_run(command.settings, &command.bench);
		settings_free(&command.settings);
		return printed(rc);
	case COMMAND_DUMP:
		if (command.config)
			return with_file(&command);
		settings_dump(command.settings, stdout);
		settings_free(&command.settings);
		return printed(EXIT_DONE);
	case COMMAND_COMPLETION:
		client_command_completion(stdout, command.shell);
		return printed(EXIT_DONE);
	case COMMAND_DOCTOR:
		return diagnose(&command);
	default:
		return with_file(&command);
	}
}
