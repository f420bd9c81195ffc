/* SPDX-License-Identifier: Apache-2.0 */

/* adit-load: the load generator as a program. */

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/command.h"
#include "common/base/log.h"
#include "common/base/output.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/event/backend.h"
#include "common/load/load.h"
#include "common/load/report.h"

static atomic_bool interrupted;
static struct load load;
static bool ended, show;
static struct timer tick;

static void on_signal(int number)
{
	(void)number;
	interrupted = true;
}

static void load_ended(struct load *l)
{
	(void)l;
	ended = true;
}

/* Progress, and whether Ctrl-C was pressed. */
static void on_tick(struct timer *t)
{
	const struct load_result *r = &load.result;

	if (ended)
		return;
	if (show)
		fprintf(stderr, "\r%3.0f s: %llu exchanges, p99 %s   ",
			(double)(clock_now() - load.began) / 1e9,
			(unsigned long long)r->exchanges,
			report_time(histogram_at(&r->latency, 99)));
	if (interrupted)
		load_stop(&load);
	else
		loop_set_timer(load.loop, t, CLOCK_SECOND / 10, on_tick);
}

static int resolve(
	struct address *a_r, const char *host, uint16_t port, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char service[8];
	int rc;

	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc) {
		*why = gai_strerror(rc);
		return -ENOENT;
	}
	memcpy(&a_r->any, list->ai_addr, list->ai_addrlen);
	a_r->size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

/* Split "http://host:port/path" or "tcp://host:port"; NULL, or why not. */
static const char *read_url(struct load_params *p, char *url)
{
	static char host[ADDRESS_HOST_SIZE];
	char *rest = strstr(url, "://"), *slash;
	const char *why = NULL;
	uint16_t port;

	if (!rest)
		return "not http://HOST:PORT/PATH or tcp://HOST:PORT";
	*rest = '\0';
	rest += 3;
	if (!strcmp(url, "http"))
		p->kind = LOAD_HTTP;
	else if (!strcmp(url, "tcp"))
		p->kind = LOAD_ECHO;
	else
		return "not http:// or tcp://";
	slash = strchr(rest, '/');
	p->path = "/";
	if (slash && slash[1])
		p->path = strdup(slash);
	if (slash)
		*slash = '\0';
	p->host = rest;
	if (!p->path || address_split(rest, host, &port, 80) < 0)
		return "no HOST:PORT";
	return resolve(&p->target, host, port, &why) < 0 ? why : NULL;
}

static int run(const struct load_params *p)
{
	static struct counters counters;
	struct loop_params params = { .ops = load_operations(p),
		.chunk_size = 65536,
		.chunks_soft = 256,
		.counters = &counters };
	struct loop *l;
	int rc;

	params.chunks_hard = 512 + 2 * (p->connections + p->idle + p->slow);
	rc = loop_create(&l, backend_choose(BACKEND_AUTO, NULL), &params);
	if (rc < 0) {
		fprintf(stderr, "adit-load: no event loop: %s\n",
			strerror(-rc));
		return 1;
	}
	rc = loop_enter(l);
	if (rc == 0)
		rc = load_start(&load, l, p, load_ended);
	if (rc < 0) {
		fprintf(stderr, "adit-load: %s\n", strerror(-rc));
		return 1;
	}
	loop_set_timer(l, &tick, CLOCK_SECOND / 10, on_tick);
	while (!ended || !load_finish(&load))
		loop_turn(l);
	loop_cancel_timer(l, &tick);
	if (show)
		fputs("\r\033[K", stderr);
	loop_destroy(&l);
	return load.result.exchanges > 0 || p->idle + p->slow > 0 ? 0 : 1;
}

static int print_result(const char *json)
{
	FILE *f = NULL;

	if (!json || strcmp(json, "-"))
		report_text(&load, stdout);
	if (!json)
		return 0;
	f = strcmp(json, "-") ? fopen(json, "we") : stdout;
	if (!f) {
		fprintf(stderr, "adit-load: %s: %s\n", json, strerror(errno));
		return 1;
	}
	report_json(&load, f);
	return f == stdout || output_close(f, "adit-load", json) ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct load_options o = {
		.connections = 10, .seconds = 10, .size = 32
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct command_words words = { 0 };
	char error[COMMAND_ERROR], *url;
	struct load_params p = { 0 };
	struct rlimit files;
	const char *why;
	int rc;

	if (!process_keep_standard("adit-load"))
		return 1;
	if (command_parse(&load_command, argc, argv, &o, &words, error) < 0) {
		fprintf(stderr, "adit-load: %s (see adit-load --help)\n",
			error);
		return 2;
	}
	if (o.help)
		command_help(&load_command, stdout);
	if (o.version)
		printf("adit-load %s\n", ADIT_VERSION);
	if (o.help || o.version)
		return !output_end("adit-load");
	url = words.n == 1 ? strdup(words.v[0]) : NULL;
	why = url ? read_url(&p, url) : "one address is needed";
	if (why) {
		fprintf(stderr, "adit-load: %s (see adit-load --help)\n", why);
		free(url);
		return 2;
	}
	p.host = o.host ? o.host : p.host;
	p.size = (uint64_t)o.size;
	p.connections = (uint32_t)o.connections;
	p.idle = (uint32_t)o.idle;
	p.slow = (uint32_t)o.slow;
	p.sources = (uint32_t)o.sources;
	p.close = o.close;
	p.rate = (double)o.rate;
	p.duration = o.seconds * CLOCK_SECOND;
	show = !o.quiet && isatty(STDERR_FILENO);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	rc = run(&p);
	rc = print_result(o.json) || rc;
	free(url);
	return output_end("adit-load") ? rc : 1;
}
