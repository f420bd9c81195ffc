/* SPDX-License-Identifier: Apache-2.0 */

/* Log lines: format, escaping, levels, rings of threads. */
// links: common/base/log.c common/base/log_line.c common/base/log_out.c common/base/utf8.c

#include "common/base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/json_line.h"

static int ends[2];
static char text[1 << 20];

static void open_pipe(enum log_level level, enum log_format format)
{
	cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
	fcntl(ends[1], F_SETPIPE_SZ, sizeof(text));
	log_open(ends[1], level, format);
}

static const char *written(void)
{
	ssize_t n = read(ends[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

Test(log, lines_and_levels)
{
	open_pipe(LOG_INFO, LOG_TEXT);
	log_debug("hidden");
	cr_assert_not(log_enabled(LOG_DEBUG));
	log_write(LOG_WARN, LOG_PAIRS("key", "value", "two", "a b"), "n=%d", 5);
	written();
	/* 2026-11-24 10:00:00.123 */
	cr_assert_eq(text[4], '-');
	cr_assert_eq(text[19], '.');
	cr_assert_str_eq(
		text + 23, " warn msg=\"n=5\" key=value two=\"a b\"\n");
}

Test(log, outside_text_cannot_break_a_line)
{
	open_pipe(LOG_INFO, LOG_TEXT);
	log_info("%s", "a\nb\r\x1b[31m\"\\\x7f");
	written();
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
	cr_assert_null(strchr(text, '\r'));
	cr_assert_null(strchr(text, '\x1b'));
	cr_assert_null(strchr(text, '\x7f'));
}

/* What a terminal would obey is shown as bytes; letters stay letters. */
Test(log, outside_text_cannot_turn_a_line)
{
	static const struct {
		const char *said, *shown;
	} rows[] = {
		{ "Z\u00fcrich \u6771\u4eac \u05d0 \U0001f600",
			"Z\u00fcrich \u6771\u4eac \u05d0 \U0001f600" },
		{ "a\xc2\x9b"
		  "b",
			"a\\xc2\\x9bb" },
		{ "a\x9b"
		  "b\xe2\x80",
			"a\\x9bb\\xe2\\x80" },
		{ "\xc0\x8a \xed\xa0\x80", "\\xc0\\x8a \\xed\\xa0\\x80" },
		{ "\u200e\u200f\u2010",
			"\\xe2\\x80\\x8e\\xe2\\x80\\x8f\u2010" },
		{ "\u2027\u2028\u202a\u202e\u202f",
			"\u2027\\xe2\\x80\\xa8\\xe2\\x80\\xaa"
			"\\xe2\\x80\\xae\u202f" },
		{ "\u2065\u2066\u2069\u206a",
			"\u2065\\xe2\\x81\\xa6\\xe2\\x81\\xa9\u206a" },
	};

	open_pipe(LOG_INFO, LOG_TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		log_info("%s", rows[i].said);
		cr_assert(strstr(written(), rows[i].shown), "%s", text);
	}
}

Test(log, json)
{
	open_pipe(LOG_INFO, LOG_JSON);
	log_write(LOG_INFO, LOG_PAIRS("k", "v"), "say \"hi\"\n");
	written();
	cr_assert_eq(text[0], '{');
	cr_assert(strstr(text, "\"level\":\"info\""), "%s", text);
	cr_assert(strstr(text, "say \\\"hi\\\"\\n"), "%s", text);
	cr_assert(strstr(text, "\"k\":\"v\""), "%s", text);
}

Test(log, long_lines_are_cut)
{
	char big[5000];

	open_pipe(LOG_INFO, LOG_TEXT);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big);
	written();
	cr_assert_lt(strlen(text), 2200);
	cr_assert_eq(text[strlen(text) - 1], '\n');
	log_long(LOG_INFO, big);
	cr_assert_gt(strlen(written()), 5000);
}

/* Wherever the line is cut. */
Test(log, long_lines_stay_json)
{
	char big[2048];

	open_pipe(LOG_INFO, LOG_JSON);
	for (size_t n = 1985; n < sizeof(big) - 1; n++) {
		memset(big, '"', n);
		big[0] = n % 2 ? 'a' : '"';
		big[n] = '\0';
		log_info("%s", big);
		cr_assert(is_json_line(written()), "%zu: %s", n, text);
	}
}

static void *chatter(void *arg)
{
	cr_assert_eq(log_attach(), 0);
	for (int i = 0; i < 100; i++)
		log_info("%s %d", (const char *)arg, i);
	return NULL;
}

Test(log, a_renamed_file_is_left)
{
	char dir[] = "/tmp/adit-log-XXXXXX", name[40], old[40];
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/log", dir);
	snprintf(old, sizeof(old), "%s/old", dir);
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	log_open(fd, LOG_INFO, LOG_TEXT);
	cr_assert_eq(log_reopen(), 0);
	log_set_file(name);
	log_info("before");
	cr_assert_eq(rename(name, old), 0);
	log_info("still");
	cr_assert_eq(log_reopen(), 0);
	log_info("after");
	ends[0] = open(old, O_RDONLY);
	cr_assert_not_null(strstr(written(), "before"));
	cr_assert_not_null(strstr(text, "still"));
	ends[0] = open(name, O_RDONLY);
	cr_assert_not_null(strstr(written(), "after"));
	/* A name that cannot be opened changes nothing. */
	log_set_file(dir);
	cr_assert_eq(log_reopen(), -EISDIR);
	log_info("once more");
	cr_assert_not_null(strstr(written(), "once more"));
	unlink(name);
	unlink(old);
	rmdir(dir);
}

/* A pipe of one page that blocks who writes too much. */
static void open_narrow_pipe(void)
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	cr_assert_geq(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	log_open(ends[1], LOG_INFO, LOG_TEXT);
}

/* What the log has told of. */
static size_t lost;

static void look_for_loss(const char *line)
{
	const char *at = strstr(line, "log lines dropped: ");

	if (at)
		lost += strtoul(at + 19, NULL, 10);
}

/* Reads and drains until nothing comes any more; the lines of this text. */
static size_t count_lines(const char *wanted)
{
	static char all[1 << 21];
	size_t n = 0, lines = 0;
	ssize_t done;

	do {
		done = read(ends[0], all + n, sizeof(all) - 1 - n);
		n += done > 0 ? (size_t)done : 0;
		log_drain();
	} while (done > 0);
	all[n] = '\0';
	cr_assert(n == 0 || all[n - 1] == '\n');
	for (char *at = all, *end; *at; at = end + 1) {
		end = strchr(at, '\n');
		*end = '\0';
		/* Lines are whole, whatever was written how. */
		cr_assert(at[4] == '-' && strstr(at + 5, " msg=\""), "%s", at);
		cr_assert_eq(end[-1], '"', "%s", at);
		lines += strstr(at, wanted) != NULL;
		look_for_loss(at);
	}
	return lines;
}

/* One that is late loses nothing, also of who logs without a ring. */
Test(log, a_reader_that_comes_late, .timeout = 20)
{
	pthread_t a, b;

	open_narrow_pipe();
	log_hurry(true);
	for (int i = 0; i < 1000; i++)
		log_info("main %d", i);
	pthread_create(&a, NULL, chatter, "a");
	pthread_create(&b, NULL, chatter, "b");
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	log_drain();
	cr_assert_eq(log_stuck_fd(), ends[1]);
	log_info("last %0*d", 1500, 0);
	cr_assert_eq(count_lines(" msg="), 1201);
	cr_assert_eq(log_stuck_fd(), -1);
}

/* Nobody waits for one that never comes; then it is told what is lost. */
Test(log, a_reader_that_does_not_come, .timeout = 20)
{
	size_t lines;

	open_narrow_pipe();
	log_hurry(true);
	for (int i = 0; i < 20000; i++)
		log_info("main %d %0*d", i, 100, 0);
	lines = count_lines("main ");
	cr_assert(lines > 1000 && lines < 20000, "%zu lines", lines);
	cr_assert_eq(lines + lost, 20000, "%zu and %zu", lines, lost);
}

static void *read_slowly(void *arg)
{
	size_t *n = arg;
	char bytes[4096];
	ssize_t done;

	fcntl(ends[0], F_SETFL, 0);
	while ((done = read(ends[0], bytes, sizeof(bytes))) > 0) {
		*n += (size_t)done;
		usleep(1000);
	}
	return NULL;
}

/* In the beginning and in the end there is time for it. */
Test(log, a_slow_reader_is_waited_for, .timeout = 20)
{
	static char line[3001];
	pthread_t reader;
	size_t n = 0;

	memset(line, 'x', 2000);
	open_narrow_pipe();
	pthread_create(&reader, NULL, read_slowly, &n);
	for (int i = 0; i < 500; i++)
		log_info("%s", line);
	cr_assert_eq(log_stuck_fd(), -1);
	close(ends[1]);
	pthread_join(reader, NULL);
	cr_assert_gt(n, 500 * 2000);
}

Test(log, a_fifo_needs_no_reader, .timeout = 20)
{
	char dir[] = "/tmp/adit-log-XXXXXX", name[40];
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/log", dir);
	cr_assert_eq(mkfifo(name, 0600), 0);
	fd = log_open_file(name);
	cr_assert_geq(fd, 0);
	log_open(fd, LOG_INFO, LOG_TEXT);
	log_set_file(name);
	log_info("early");
	ends[0] = open(name, O_RDONLY | O_NONBLOCK);
	cr_assert_not_null(strstr(written(), "early"));
	cr_assert_eq(log_reopen(), 0);
	log_info("later");
	cr_assert_not_null(strstr(written(), "later"));
	unlink(name);
	rmdir(dir);
}

Test(log, threads_leave_lines_for_the_main_thread)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t a, b;
	int lines = 0;

	open_pipe(LOG_INFO, LOG_TEXT);
	pthread_create(&a, NULL, chatter, "a");
	pthread_create(&b, NULL, chatter, "b");
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	cr_assert_str_eq(written(), "");
	p.fd = log_wakeup_fd();
	cr_assert_eq(poll(&p, 1, 1000), 1);
	log_drain();
	written();
	for (char *c = text; (c = strchr(c, '\n')); c++)
		lines++;
	cr_assert_eq(lines, 200);
	cr_assert_eq(poll(&p, 1, 0), 0);
}
