/* SPDX-License-Identifier: Apache-2.0 */

/* Lines of requests and their sum: columns, escapes, colors. */
// links: client/tally.c common/load/histogram.c

#include "client/tally.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

static const struct tally_style plain = { 0 };

static struct journal_row row_of(const char *method, const char *target,
	unsigned status, int64_t took, uint64_t out)
{
	struct journal_row row = { .proxy = "web", .at = 45296 };
	struct watch_exchange *e = &row.exchange;

	setenv("TZ", "UTC", 1);
	e->ended = took;
	e->out = out;
	e->status = (uint16_t)status;
	e->method_len = (uint8_t)strlen(method);
	memcpy(e->method, method, strlen(method));
	e->target_len = (uint16_t)strlen(target);
	memcpy(e->target, target,
		strlen(target) < WATCH_TARGET ? strlen(target) : WATCH_TARGET);
	return row;
}

static const char *line_of(
	const struct journal_row *row, const struct tally_style *style)
{
	static char text[TALLY_LINE];
	size_t n = tally_line(text, row, style);

	cr_assert_eq(n, strlen(text));
	cr_assert_eq(text[n - 1], '\n');
	text[n - 1] = '\0';
	return text;
}

Test(tally, plain_lines)
{
	static const struct {
		const char *method, *target;
		unsigned status;
		int64_t took;
		uint64_t out;
		const char *line;
	} rows[] = {
		{ "GET", "/path", 200, 12 * MS, 1229,
			"12:34:56  GET  /path  200  12 ms  1.2 KiB" },
		{ "POST", "/", 204, MS / 10, 0,
			"12:34:56  POST  /  204  0.1 ms  0 B" },
		{ "DELETE", "/x?y=z", 500, 1234 * MS, 5 << 20,
			"12:34:56  DELETE  /x?y=z  500  1.2 s  5.0 MiB" },
		{ "GET", "/", 200, 200000 * MS, UINT64_MAX,
			"12:34:56  GET  /  200  200 s  16384.0 PiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct journal_row row = row_of(rows[i].method, rows[i].target,
			rows[i].status, rows[i].took, rows[i].out);

		cr_assert_str_eq(line_of(&row, &plain), rows[i].line);
	}
}

Test(tally, cut_and_without_an_answer)
{
	struct journal_row row = row_of("GET", "/", 0, 5 * MS, 0);

	row.exchange.cut = true;
	cr_assert_str_eq(
		line_of(&row, &plain), "12:34:56  GET  /  ---  5.0 ms  cut");
	row.exchange.status = 200;
	cr_assert_str_eq(
		line_of(&row, &plain), "12:34:56  GET  /  200  5.0 ms  cut");
}

Test(tally, names_where_there_are_several)
{
	struct journal_row row = row_of("GET", "/", 200, MS, 1);

	cr_assert_str_eq(line_of(&row, &(struct tally_style){ .names = true }),
		"12:34:56  GET  [web] /  200  1.0 ms  1 B");
}

/* Whatever a visitor sends, a terminal gets printable ASCII. */
Test(tally, every_byte_is_shown_as_text)
{
	for (int c = 0; c < 256; c++) {
		char target[3] = { '/', (char)c, '\0' };
		struct journal_row row = row_of("GET", "/x", 200, MS, 1);
		const char *line;

		memcpy(row.exchange.target, target, 2);
		row.exchange.method[1] = (char)c;
		line = line_of(&row, &plain);
		for (const char *s = line; *s; s++)
			cr_assert(*s >= 0x20 && *s < 0x7f, "%02x", c);
	}
}

Test(tally, escapes)
{
	struct journal_row row =
		row_of("GET", "/\x1b[2J\xc3\xa9\\", 200, MS, 1);

	cr_assert_str_eq(line_of(&row, &plain),
		"12:34:56  GET  /\\x1b[2J\\xc3\\xa9\\\\  200  1.0 ms  1 B");
}

Test(tally, padded_for_a_terminal)
{
	struct journal_row row = row_of("GET", "/path", 200, 12 * MS, 1229);

	cr_assert_str_eq(line_of(&row, &(struct tally_style){ .columns = 80 }),
		"12:34:56  GET      /path                             "
		"  200     12 ms    1.2 KiB");
}

/* A line is never wider than the terminal, and escapes stay whole. */
Test(tally, long_targets_end_in_dots)
{
	char target[WATCH_TARGET * 2] = "/", text[TALLY_LINE];
	struct journal_row row;

	for (size_t i = 1; i < sizeof(target) - 1; i++)
		target[i] = i % 3 ? 'a' : '\x01';
	for (unsigned columns = 38; columns < 400; columns++) {
		struct tally_style style = { .columns = columns };
		const char *line, *end;

		row = row_of("PROPPATCH", target, 200, 12 * MS, 1229);
		line = line_of(&row, &style);
		cr_assert_lt(strlen(line), columns, "%u: %s", columns, line);
		end = strstr(strstr(line, "/"), "... ");
		cr_assert_not_null(end, "%u: %s", columns, line);
		cr_assert(strstr(line, "PROP...  /"));
		/* Before the dots stands a whole escape, or an `a`. */
		cr_assert(end[-1] == 'a' || !memcmp(end - 4, "\\x01", 4),
			"%u: %s", columns, line);
	}
	/* Without a terminal all that was kept is shown. */
	cr_assert_not_null(strstr(line_of(&row, &plain), "...  200"));
	cr_assert_gt(strlen(line_of(&row, &plain)), WATCH_TARGET);
	memset(row.exchange.target, 1, WATCH_TARGET);
	cr_assert_lt(tally_line(text, &row, &plain), TALLY_LINE - 1);
}

/* Sizes go first, then the time of day. */
Test(tally, narrow_terminals)
{
	struct journal_row row = row_of("GET", "/path", 200, 12 * MS, 1229);

	cr_assert(strstr(
		line_of(&row, &(struct tally_style){ .columns = 58 }), "KiB"));
	cr_assert_not(strstr(
		line_of(&row, &(struct tally_style){ .columns = 57 }), "KiB"));
	cr_assert(strstr(line_of(&row, &(struct tally_style){ .columns = 47 }),
		"12:34"));
	cr_assert_not(
		strstr(line_of(&row, &(struct tally_style){ .columns = 46 }),
			"12:34"));
	cr_assert(strstr(
		line_of(&row, &(struct tally_style){ .columns = 1 }), "/path"));
}

Test(tally, colors_by_class)
{
	static const char *const want[] = { "\x1b[35m101\x1b[0m",
		"\x1b[32m201\x1b[0m", "\x1b[36m301\x1b[0m",
		"\x1b[33m401\x1b[0m", "\x1b[31m501\x1b[0m", " 601 " };
	struct tally_style style = { .columns = 80, .color = true };

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		struct journal_row row =
			row_of("GET", "/", 101 + 100 * i, MS, 1);

		cr_assert(strstr(line_of(&row, &style), want[i]));
	}
}

static struct tally t;

Test(tally, sum)
{
	struct tally_style narrow = { .columns = 20 };
	char text[TALLY_LINE];
	struct journal_row row;

	cr_assert_eq(tally_sum(text, &t, 0, 0, 0, &plain), 10);
	cr_assert_str_eq(text, "0 requests");
	cr_assert_eq(tally_sum(text, &t, 1, 1, 0, &plain), 0);
	for (int i = 1; i <= 100; i++) {
		row = row_of("GET", "/", i <= 90 ? 200 : 502, i * MS, 1024);
		row.exchange.in = 1;
		tally_add(&t, &row.exchange);
	}
	row.exchange.cut = true;
	tally_add(&t, &row.exchange);
	tally_sum(text, &t, 0, 3, 7, &plain);
	cr_assert_str_eq(text,
		"101 requests  3 open  2xx 90  5xx 10  cut 1  not shown 7");
	tally_sum(text, &t, 1, 3, 7, &plain);
	cr_assert_str_eq(text,
		"p50 50 ms  p90 90 ms  p99 99 ms  in 100 B  out 100.0 KiB");
	cr_assert_eq(tally_sum(text, &t, 0, 3, 7, &narrow), 19);
	cr_assert_str_eq(text, "101 requests  3 ...");
}
