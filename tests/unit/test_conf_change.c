/* SPDX-License-Identifier: Apache-2.0 */

/* Which keys differ, of every type; what is kept of those that may not. */
// links: common/conf/change.c common/conf/conf.c common/conf/arena.c common/conf/error.c common/conf/node.c common/conf/table.c common/conf/nearest.c common/conf/value.c common/conf/several.c common/conf/number.c common/conf/yaml.c common/conf/file.c common/conf/template.c common/conf/word.c common/conf/numbers.c common/conf/expansion.c common/base/utf8.c
// libs: -lyaml

#include "common/conf/change.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct item {
	const char *name;
	int64_t n;
};

struct items {
	size_t n;
	struct item *v;
};

struct all {
	bool b;
	int64_t n, ms;
	uint16_t port;
	const char *text, *secret, *fixed_text;
	int word, words;
	struct conf_strings strings;
	struct conf_map map;
	struct conf_ranges ranges;
	struct items items;
	int64_t threads;
};

#define DEF(type, field) CONF_DEF(type, struct all, field)

static const struct conf_choices colors =
	CONF_CHOICES({ "red", 1, false }, { "blue", 2, false });
static const struct conf_choices threads = CONF_CHOICES({ "auto", 0, false });

static const struct conf_row item_rows[] = {
	{ .path = "name", CONF_DEF(STRING, struct item, name), .def = "" },
	{ .path = "n", CONF_DEF(INT, struct item, n), .def = "0", .max = 9 },
};
static CONF_TABLE(item_table, struct item, item_rows);

static const struct conf_row rows[] = {
	{ .path = "b", DEF(BOOL, b), .def = "true", .flags = CONF_RELOAD },
	{ .path = "n",
		DEF(INT, n),
		.def = "1",
		.max = 99,
		.flags = CONF_RELOAD },
	{ .path = "at.ms",
		DEF(MS, ms),
		.def = "1",
		.max = 99,
		.flags = CONF_RELOAD },
	{ .path = "port", DEF(PORT, port), .def = "1" },
	{ .path = "text", DEF(STRING, text), .def = "", .flags = CONF_RELOAD },
	{ .path = "secret",
		DEF(SECRET, secret),
		.def = "",
		.flags = CONF_RELOAD },
	{ .path = "fixedText", DEF(STRING, fixed_text), .def = "as it was" },
	{ .path = "word",
		DEF(ENUM, word),
		.def = "red",
		.choices = &colors,
		.flags = CONF_RELOAD },
	{ .path = "words",
		DEF(WORDS, words),
		.choices = &colors,
		.flags = CONF_RELOAD },
	{ .path = "strings", DEF(STRINGS, strings), .flags = CONF_RELOAD },
	{ .path = "map", DEF(MAP, map), .flags = CONF_RELOAD },
	{ .path = "ranges", DEF(RANGES, ranges), .flags = CONF_RELOAD },
	{ .path = "items",
		CONF_DEF_LIST(struct all, items, struct item, item_table),
		.flags = CONF_RELOAD },
	{ .path = "threads",
		DEF(INT, threads),
		.def = "auto",
		.min = 1,
		.max = 99,
		.choices = &threads },
	{ .path = "nothing", CONF_DEF_FIXED("0") },
	{ .path = "later", CONF_DEF_LATER },
};
static CONF_TABLE(table, struct all, rows);

static struct conf *load(const char *text)
{
	char path[] = "/tmp/adit-change-XXXXXX";
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct conf *conf;
	void *base;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(conf_new(&conf, &table, &base), 0);
	cr_assert_eq(conf_load(conf, path, errors), 0);
	cr_assert_eq(errors->n, 0, "%s", errors->v[0].text);
	unlink(path);
	free(errors);
	return conf;
}

/* What is printed of the difference of three files. */
static char *differ(const char *start, const char *now, const char *after)
{
	struct conf *a = load(start), *b = load(now), *c = load(after);
	struct conf_changes changes;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	conf_changes_find(&changes, a, b, c);
	conf_changes_print(&changes, f);
	fclose(f);
	conf_free(&a);
	conf_free(&b);
	conf_free(&c);
	return text;
}

static void expect(const char *before, const char *after, const char *want)
{
	char *have = differ(before, before, after);

	cr_assert_str_eq(have, want, "%s -> %s: %s", before, after, have);
	free(have);
}

#define NOTHING "nothing has changed\n"

Test(conf_change, every_type)
{
	expect("{}", "{}", NOTHING);
	expect("b: true", "{}", NOTHING);
	expect("b: false", "{}", "changed: b\n");
	expect("n: 5", "n: 5", NOTHING);
	expect("n: 5", "n: 6", "changed: n\n");
	expect("at: {ms: 5}", "at: {ms: 6}", "changed: at.ms\n");
	expect("port: 5", "port: 6", "needs a restart: port\n");
	expect("text: a", "text: \"a\"", NOTHING);
	expect("text: a", "text: b", "changed: text\n");
	expect("secret: a", "secret: b", "changed: secret\n");
	expect("word: blue", "word: red", "changed: word\n");
	expect("words: [red]", "words: [red, blue]", "changed: words\n");
	expect("strings: [a, b]", "strings: [a, b]", NOTHING);
	expect("strings: [a, b]", "strings: [a]", "changed: strings\n");
	expect("strings: [a, b]", "strings: [a, c]", "changed: strings\n");
	expect("map: {a: x}", "map: {a: x}", NOTHING);
	expect("map: {a: x}", "map: {a: y}", "changed: map\n");
	expect("map: {a: x}", "map: {b: x}", "changed: map\n");
	expect("ranges: [{single: 5}]", "ranges: [{start: 5, end: 5}]",
		NOTHING);
	expect("ranges: [{single: 5}]", "ranges: [{start: 5, end: 6}]",
		"changed: ranges\n");
}

Test(conf_change, lists)
{
	expect("items: [{name: a}, {name: b}]",
		"items: [{name: a, n: 0}, {name: b}]", NOTHING);
	expect("items: [{name: a}]", "items: [{name: b}]", "changed: items\n");
	expect("items: [{name: a}]", "items: [{name: a, n: 1}]",
		"changed: items\n");
	expect("items: [{name: a}]", "items: []", "changed: items\n");
	expect("items: [{name: a}]", "{}", "changed: items\n");
}

Test(conf_change, both_kinds)
{
	expect("{}", "{n: 7, port: 5, text: a, fixedText: b}",
		"changed: n, text\nneeds a restart: port, fixedText\n");
}

/* A key that needs a restart is measured by the start, the others by now. */
Test(conf_change, by_what_is_gone)
{
	char *text =
		differ("{port: 5, n: 5}", "{port: 6, n: 6}", "{port: 6, n: 6}");

	cr_assert_str_eq(text, "needs a restart: port\n");
	free(text);
	text = differ("{port: 5, n: 5}", "{port: 6, n: 6}", "{port: 5, n: 5}");
	cr_assert_str_eq(text, "changed: n\n");
	free(text);
}

/* What a program has made of a default is no change. */
Test(conf_change, defaults_that_were_counted)
{
	struct conf *start = load("{}"), *after = load("n: 2");
	struct conf *given = load("threads: 3");
	struct conf_changes c;

	((struct all *)conf_base(start))->threads = 4;
	conf_changes_find(&c, start, start, after);
	cr_assert_eq(c.later_count, 0);
	conf_changes_find(&c, start, start, given);
	cr_assert_eq(c.later_count, 1);
	conf_free(&start);
	conf_free(&after);
	conf_free(&given);
}

Test(conf_change, keep)
{
	struct conf *start = load("{port: 5, text: a, threads: 3}");
	struct conf *after = load("{port: 6, text: b, fixedText: c}");
	const struct all *a = conf_base(after);

	conf_changes_keep(start, after);
	cr_assert_eq(a->port, 5);
	cr_assert_eq(a->threads, 3);
	cr_assert_str_eq(a->fixed_text, "as it was");
	cr_assert_str_eq(a->text, "b");
	conf_free(&after);
	conf_free(&start);
}

Test(conf_change, holders)
{
	struct conf *conf = load("text: a"), *held = conf_hold(conf);
	struct conf *other = load("{}");

	conf_own(conf, other);
	conf_own(conf, load("{}"));
	conf_free(&conf);
	cr_assert_null(conf);
	cr_assert_str_eq(((struct all *)conf_base(held))->text, "a");
	conf_free(&held);
}

Test(conf_change, help_is_in_lines)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	conf_reloads_print(&table, f);
	fclose(f);
	cr_assert_str_eq(text, "b, n, at.ms, text, secret, word, words, "
			       "strings, map, ranges, items\n");
	free(text);
}
