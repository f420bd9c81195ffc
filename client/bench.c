/* SPDX-License-Identifier: Apache-2.0 */

#include "client/bench.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/crew.h"
#include "client/sizing.h"
#include "common/base/log.h"
#include "common/base/output.h"
#include "common/crypto/random.h"
#include "common/event/backend.h"
#include "common/load/origin.h"
#include "common/load/report.h"

/* What is measured, one after another. */
static const struct part {
	const char *name, *what;
	uint64_t size;
	uint32_t connections; /* 0: as many as were asked for */
	bool close;
} parts[] = {
	{ "latency", "one message of 32 B at a time", 32, 1, false },
	{ "requests", "messages of 32 B", 32, 0, false },
	{ "connects", "a connection for each message", 32, 8, true },
	{ "throughput", "messages of 1 MiB", 1 << 20, 4, false },
};

struct bench {
	const struct bench_params *params;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char address[ADDRESS_HOST_SIZE + 16]; /* of the proxy; "": not yet */
	bool over;                            /* adit has ended */
	bool measured;
	struct load loads[ARRAY_SIZE(parts)];
};

/* --- one part --- */

static void load_ended(struct load *l)
{
	(void)l;
}

static int measure(
	struct bench *b, struct loop *loop, size_t i, const struct address *to)
{
	struct load *l = &b->loads[i];
	struct load_params p = { .kind = LOAD_ECHO,
		.target = *to,
		.size = parts[i].size,
		.connections = parts[i].connections
				       ? parts[i].connections
				       : (uint32_t)b->params->connections,
		.close = parts[i].close,
		.duration = b->params->seconds * CLOCK_SECOND };
	int rc = load_start(l, loop, &p, load_ended);

	if (rc < 0)
		return rc;
	while (!l->stopping || !load_finish(l))
		loop_turn(loop);
	return 0;
}

static int find_target(const char *url, struct address *a_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char host[ADDRESS_HOST_SIZE], service[8];
	uint16_t port;

	if (address_split(url + strlen("tcp://"), host, &port, 0) < 0)
		return -EINVAL;
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &list))
		return -ENOENT;
	memcpy(&a_r->any, list->ai_addr, list->ai_addrlen);
	a_r->size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

static int measure_all(struct bench *b)
{
	static struct counters counters;
	struct loop_params params = { .ops = 4 * 1024 + 64,
		.chunk_size = 65536,
		.chunks_soft = 256,
		.chunks_hard = 4096,
		.counters = &counters };
	struct address to;
	struct loop *loop;
	int rc = find_target(b->address, &to);

	if (rc == 0)
		rc = loop_create(
			&loop, backend_choose(BACKEND_AUTO, NULL), &params);
	if (rc < 0)
		return rc;
	rc = loop_enter(loop);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(parts); i++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r\033[Kmeasuring: %s", parts[i].what);
		rc = measure(b, loop, i, &to);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	loop_destroy(&loop);
	return rc;
}

/* --- what it means --- */

static double rate_of(const struct load *l)
{
	return (double)l->result.exchanges * 1e9 /
	       (double)(l->result.elapsed ? l->result.elapsed : 1);
}

static void print_row(size_t i, const struct load *l)
{
	const struct histogram *h = &l->result.latency;

	printf("  %-12s%-32s%12.1f/s%11s%11s%11s\n", parts[i].name,
		parts[i].what, rate_of(l), report_time(histogram_at(h, 50)),
		report_time(histogram_at(h, 99)),
		report_time(histogram_at(h, 99.9)));
}

/* A few plain sentences: what a user of this way will notice. */
static void print_reading(const struct bench *b)
{
	const struct load *one = &b->loads[0], *many = &b->loads[1];
	int64_t trip = histogram_at(&one->result.latency, 50);
	double possible =
		(double)b->params->connections * 1e9 / (double)(trip + 1);
	double mib = (double)b->loads[3].result.bytes_in * 1e9 /
		     (double)(b->loads[3].result.elapsed + 1) / 1048576;

	printf("\nA message and its answer take %s through the server. ",
		report_time(trip));
	printf("One connection that waits for\nevery answer can therefore make "
	       "%.0f exchanges a second.\n",
		1e9 / (double)(trip + 1));
	if (rate_of(many) > possible / 2)
		printf("With %lld connections the distance is still what "
		       "limits: more connections would do more.\n",
			(long long)b->params->connections);
	else
		printf("With %lld connections it is work, not distance, that "
		       "limits: the processors of this machine,\nof the "
		       "server, "
		       "or the link between them are busy.\n",
			(long long)b->params->connections);
	printf("Bulk moves at %.0f MiB/s in each direction at once.\n", mib);
}

static bool print_result(const struct bench *b)
{
	const char *json = b->params->json;
	bool failed = false;
	FILE *f;

	if (!json || strcmp(json, "-")) {
		printf("through %s and back\n", b->address);
		printf("  %-12s%-32s%14s%11s%11s%11s\n", "", "", "rate", "p50",
			"p99", "p99.9");
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			print_row(i, &b->loads[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (int e = 0; e < LOAD_ERRORS; e++)
			if (b->loads[i].result.errors[e])
				failed = true;
	if (failed)
		fprintf(stderr, "adit: bench: some exchanges failed; --json "
				"tells which\n");
	if (!json || strcmp(json, "-"))
		print_reading(b);
	if (!json)
		return !failed;
	f = strcmp(json, "-") ? fopen(json, "we") : stdout;
	if (!f) {
		fprintf(stderr, "adit: bench: %s: %s\n", json, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		fprintf(f, "%s\"%s\": ", i ? ", " : "{", parts[i].name);
		report_json(&b->loads[i], f);
	}
	fputs("}\n", f);
	if (f != stdout && !output_close(f, "adit: bench", json))
		return false;
	return !failed;
}

/* --- beside adit --- */

/* adit's thread: the proxy is there. */
static void announced(void *arg, const char *address)
{
	struct bench *b = arg;

	pthread_mutex_lock(&b->lock);
	snprintf(b->address, sizeof(b->address), "%s", address);
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void *bench_thread(void *arg)
{
	struct bench *b = arg;
	int rc;

	pthread_mutex_lock(&b->lock);
	while (!*b->address && !b->over)
		pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
	if (b->over)
		return NULL;
	rc = measure_all(b);
	if (rc < 0)
		fprintf(stderr, "adit: bench: %s\n", strerror(-rc));
	else
		b->measured = print_result(b);
	fflush(stdout);
	/* As Ctrl-C would: adit drains and ends. */
	kill(getpid(), SIGTERM);
	return NULL;
}

static int add_proxy(struct settings *s, uint16_t port)
{
	struct client_proxy p = settings_proxy_default();
	char name[64], suffix[7];

	random_hex(suffix, 3);
	snprintf(name, sizeof(name), "bench-%s", suffix);
	p.name = name;
	p.type = CLIENT_PROXY_TCP;
	p.local_ip = "127.0.0.1";
	p.local_port = port;
	return settings_add_proxy(s, &p);
}

static int run(struct bench *b, struct settings *s)
{
	pthread_t thread;
	struct crew crew;
	int rc;

	log_open(STDERR_FILENO, LOG_WARN, LOG_TEXT);
	/* The load has a ring and a file of its own, made later. */
	s->sandbox = false;
	sizing_workers(s);
	if (crew_create(&crew, s, announced, b) < 0)
		return 1;
	if (pthread_create(&thread, NULL, bench_thread, b)) {
		crew_destroy(&crew);
		return 1;
	}
	rc = crew_run(&crew);
	pthread_mutex_lock(&b->lock);
	b->over = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(thread, NULL);
	crew_destroy(&crew);
	return rc ? rc : !b->measured;
}

int bench_run(struct settings *s, const struct bench_params *p)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct origin *origin = NULL;
	uint16_t port;
	sigset_t ends;
	int rc = b ? 0 : -ENOMEM;

	/* adit's main thread serves them: the origin's must not take any. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (rc == 0) {
		b->params = p;
		pthread_mutex_init(&b->lock, NULL);
		pthread_cond_init(&b->changed, NULL);
		rc = origin_start(&origin, &port);
	}
	if (rc == 0)
		rc = add_proxy(s, port);
	if (rc < 0)
		fprintf(stderr, "adit: bench: %s\n", strerror(-rc));
	else
		rc = run(b, s);
	origin_stop(&origin);
	free(b);
	return rc < 0 ? 1 : rc;
}
