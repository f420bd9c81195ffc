/* SPDX-License-Identifier: Apache-2.0 */

/* The way of the records: whole, in order, none lost but those counted. */
// links: server/http/access_log.c common/http/access_line.c common/http/access_record.c common/http/head.c common/http/text.c common/http/request_id.c common/base/address.c common/base/reason.c common/base/utf8.c common/base/log.c common/base/log_line.c common/base/log_out.c

#include "server/http/access_log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/http/access_line.h"

#define WRITERS 3
#define EACH 100000

static char dir[] = "/tmp/adit-access-XXXXXX";
static char path[60];

static struct access_log *open_log(const char *to, uint32_t workers)
{
	struct settings s = { .access_log_to = to,
		.access_log_format = ACCESS_JSON };
	struct access_log *log;

	cr_assert_eq(access_log_create(&log, &s, workers), 0);
	return log;
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

/* A record without texts, of this number. */
static bool put(struct access_log *log, uint32_t worker, uint64_t number)
{
	struct access_record *r = access_record_new(NULL, NULL, NULL);
	bool done;

	r->in = number;
	r->out = worker;
	done = access_ring_put(access_log_ring(log, worker), r);
	free(r);
	return done;
}

/* Reads the numbers of a worker's lines; all of them have to be whole. */
static size_t numbers(const char *file, unsigned worker, uint64_t *out)
{
	FILE *f = fopen(file, "re");
	char line[2000];
	size_t n = 0;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long long in;
		unsigned who;
		const char *at = strstr(line, "\"in\":");

		cr_assert(at && line[0] == '{', "%s", line);
		cr_assert_str_eq(line + strlen(line) - 3, "\"}\n");
		cr_assert_eq(
			sscanf(at, "\"in\":%llu,\"bytes\":%u,", &in, &who), 2);
		if (who == worker)
			out[n++] = in;
	}
	fclose(f);
	return n;
}

Test(access_log, off, .init = setup, .fini = teardown)
{
	cr_assert_null(open_log("", 1));
}

Test(access_log, written_soon_or_at_the_end, .init = setup, .fini = teardown)
{
	struct access_log *log = open_log(path, 1);
	struct pollfd p = { .fd = access_log_fd(log), .events = POLLIN };
	uint64_t n[10];

	cr_assert_eq(access_log_run(log, false), -1);
	cr_assert_eq(poll(&p, 1, 0), 0);
	cr_assert(put(log, 0, 7));
	cr_assert(put(log, 0, 8));
	cr_assert_eq(poll(&p, 1, 0), 1);
	cr_assert_gt(access_log_run(log, false), 0);
	cr_assert_eq(poll(&p, 1, 0), 0);
	cr_assert_eq(numbers(path, 0, n), 0);
	usleep(ACCESS_LOG_PERIOD / 1000 + 1000);
	cr_assert_eq(access_log_run(log, false), -1);
	cr_assert_eq(numbers(path, 0, n), 2);
	cr_assert(n[0] == 7 && n[1] == 8);
	cr_assert(put(log, 0, 9));
	access_log_run(log, true);
	cr_assert_eq(numbers(path, 0, n), 3);
	access_log_destroy(&log);
	cr_assert_null(log);
}

Test(access_log, a_full_ring_refuses, .init = setup, .fini = teardown)
{
	struct access_log *log = open_log(path, 1);
	uint64_t *n = calloc(EACH, sizeof(*n)), put_in = 0;

	for (int round = 0; round < 3; round++) {
		while (put(log, 0, put_in))
			put_in++;
		/* Half full: at once. */
		cr_assert_eq(access_log_run(log, false), -1);
	}
	cr_assert_gt(put_in, 3 * 5000);
	cr_assert_eq(numbers(path, 0, n), put_in);
	for (size_t i = 0; i < put_in; i++)
		cr_assert_eq(n[i], i);
	cr_assert_eq(access_log_unwritten(log), 0);
	access_log_destroy(&log);
	free(n);
}

Test(access_log, a_renamed_file_is_left, .init = setup, .fini = teardown)
{
	struct access_log *log = open_log(path, 1);
	char old[80];
	uint64_t n[10];

	snprintf(old, sizeof(old), "%s/old", dir);
	cr_assert(put(log, 0, 1));
	cr_assert_eq(rename(path, old), 0);
	/* What was before belongs to the old one. */
	access_log_reopen(log);
	cr_assert(put(log, 0, 2));
	access_log_run(log, true);
	cr_assert_eq(numbers(old, 0, n), 1);
	cr_assert_eq(n[0], 1);
	cr_assert_eq(numbers(path, 0, n), 1);
	cr_assert_eq(n[0], 2);
	access_log_destroy(&log);
	unlink(old);
}

/* The time is not told in the old form within the same second. */
Test(access_log, another_format, .init = setup, .fini = teardown)
{
	struct settings s = { .access_log_to = path,
		.access_log_format = ACCESS_COMBINED };
	struct access_log *log = open_log(path, 1);
	char line[2000] = "";
	FILE *f;

	cr_assert(put(log, 0, 1));
	access_log_run(log, true);
	unlink(path);
	cr_assert_eq(access_log_change(&log, &s, 1), 0);
	cr_assert(put(log, 0, 2));
	access_log_run(log, true);
	f = fopen(path, "re");
	cr_assert(f && fgets(line, sizeof(line), f));
	/* 24/Nov/2026:10:00:00 +0000 */
	cr_assert(strchr(line, '[') && strchr(line, '[')[3] == '/', "%s", line);
	fclose(f);
	access_log_destroy(&log);
}

Test(access_log, a_pipe_that_nobody_reads, .init = setup, .fini = teardown)
{
	struct access_log *log;
	uint64_t put_in = 0, lines = 0;
	char *text = malloc(1 << 20);
	int out, wait;

	cr_assert_eq(mkfifo(path, 0600), 0);
	log = open_log(path, 1);
	for (int round = 0; round < 3; round++) {
		while (put(log, 0, put_in))
			put_in++;
		/* It is looked at now and then, though more is asked. */
		wait = access_log_run(log, false);
		cr_assert(wait > 0 && wait <= 101);
	}
	out = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	for (int round = 0; round < 1000 && lines < put_in; round++) {
		ssize_t n = read(out, text, 1 << 20);

		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
		cr_assert(n <= 0 || text[n - 1] == '\n');
		access_log_run(log, true);
	}
	cr_assert_eq(lines, put_in);
	cr_assert_eq(access_log_unwritten(log), 0);
	close(out);
	access_log_destroy(&log);
	free(text);
}

Test(access_log, a_full_disk, .init = setup, .fini = teardown)
{
	struct access_log *log = open_log("/dev/full", 1);

	for (int i = 0; i < 100; i++)
		cr_assert(put(log, 0, 1));
	access_log_run(log, true);
	cr_assert_eq(access_log_unwritten(log), 100);
	cr_assert_eq(access_log_unwritten(log), 0);
	access_log_destroy(&log);
}

struct writer {
	pthread_t thread;
	struct access_log *log;
	uint32_t index;
	uint64_t written;
	_Atomic bool done;
};

static void *write_all(void *arg)
{
	struct writer *w = arg;

	for (uint64_t i = 0; i < EACH; i++)
		w->written += put(w->log, w->index, i);
	w->done = true;
	return NULL;
}

/* Only the descriptor and the time that it says wake the reader. */
Test(access_log, several_writers, .init = setup, .fini = teardown)
{
	struct access_log *log = open_log(path, WRITERS);
	struct writer w[WRITERS] = { 0 };
	struct pollfd p = { .fd = access_log_fd(log), .events = POLLIN };
	uint64_t *n = calloc(EACH, sizeof(*n));
	bool done = false;

	for (uint32_t i = 0; i < WRITERS; i++) {
		w[i].log = log;
		w[i].index = i;
		pthread_create(&w[i].thread, NULL, write_all, &w[i]);
	}
	while (!done) {
		int wait = access_log_run(log, false);

		/* Who is written to without being woken would stop here. */
		cr_assert_lt(wait, 102);
		poll(&p, 1, wait < 0 ? 1000 : wait);
		done = true;
		for (uint32_t i = 0; i < WRITERS; i++)
			done = done && w[i].done;
	}
	for (uint32_t i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	while (access_log_run(log, false) > 0)
		usleep(10000);
	for (uint32_t i = 0; i < WRITERS; i++) {
		cr_assert_eq(numbers(path, i, n), w[i].written);
		for (uint64_t k = 1; k < w[i].written; k++)
			cr_assert_gt(n[k], n[k - 1]);
	}
	access_log_destroy(&log);
	free(n);
}
