/* SPDX-License-Identifier: Apache-2.0 */

/* A file into a struct by a table of every type; the dump of it. */
// links: common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/dump.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c
// libs: -lyaml

#include "common/conf/conf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/dump.h"

struct item {
	const char *name;
	uint16_t port;
	int kind;
	struct conf_map notes;
};

struct items {
	size_t n;
	struct item *v;
};

struct sample {
	bool flag;
	int64_t count;
	int64_t workers;
	uint16_t port;
	int64_t seconds;
	int64_t ms;
	const char *text;
	const char *token;
	int level;
	int scopes;
	struct conf_strings names;
	struct conf_map notes;
	struct conf_ranges ports;
	struct items items;
};

#define DEF(type, field) CONF_DEF(type, struct sample, field)
#define ITEM(type, field) CONF_DEF(type, struct item, field)

static const struct conf_choices levels = CONF_CHOICES(
	{ "low", 1, false }, { "high", 2, false }, { "top", -1, true });
static const struct conf_choices scopes =
	CONF_CHOICES({ "A", 1, false }, { "B", 2, false });
static const struct conf_choices automatic = CONF_CHOICES({ "auto", 0, false });

static const struct conf_row item_rows[] = {
	{ .path = "name", ITEM(STRING, name), .doc = "A." },
	{ .path = "port", ITEM(PORT, port), .def = "80", .doc = "B." },
	{ .path = "kind", ITEM(ENUM, kind), .choices = &levels, .doc = "C." },
	{ .path = "more.off", CONF_DEF_FIXED("false"), .doc = "D." },
	{ .path = "notes", ITEM(MAP, notes), .doc = "E." },
};
static CONF_TABLE(item_table, struct item, item_rows);

static const struct conf_row rows[] = {
	{ .path = "flag", DEF(BOOL, flag), .def = "true", .doc = "F." },
	{ .path = "count",
		DEF(INT, count),
		.def = "5",
		.min = 1,
		.max = 10,
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "G." },
	{ .path = "workers",
		DEF(INT, workers),
		.def = "auto",
		.min = 1,
		.max = 8,
		.choices = &automatic,
		.doc = "H." },
	{ .path = "port",
		DEF(PORT, port),
		.def = "7000",
		.min = 1,
		.max = 65535,
		.doc = "I." },
	{ .path = "in.seconds",
		DEF(SECONDS, seconds),
		.def = "7",
		.min = -1,
		.max = 100,
		.unit = "seconds",
		.doc = "J." },
	{ .path = "in.ms",
		DEF(MS, ms),
		.def = "3",
		.min = -1,
		.max = 100,
		.unit = "seconds",
		.doc = "K." },
	{ .path = "in.deep.text",
		DEF(STRING, text),
		.def = "t",
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "L." },
	{ .path = "in.deep.token", DEF(SECRET, token), .doc = "M." },
	{ .path = "level",
		DEF(ENUM, level),
		.def = "low",
		.choices = &levels,
		.doc = "N." },
	{ .path = "scopes",
		DEF(WORDS, scopes),
		.choices = &scopes,
		.doc = "O." },
	{ .path = "names", DEF(STRINGS, names), .doc = "P." },
	{ .path = "notes", DEF(MAP, notes), .doc = "Q." },
	{ .path = "ports", DEF(RANGES, ports), .doc = "R." },
	{ .path = "off", CONF_DEF_FIXED("false"), .doc = "S." },
	{ .path = "words", CONF_DEF_FIXED("tcp|"), .doc = "T." },
	{ .path = "address",
		CONF_DEF_FIXED("127.0.0.1|0.0.0.0"),
		.doc = "Ta." },
	{ .path = "empty", CONF_DEF_FIXED("[]|{}"), .doc = "U." },
	{ .path = "later", CONF_DEF_LATER, .doc = "Ua." },
	{ .path = "web", CONF_DEF_LATER, .doc = "V." },
	{ .path = "web.port", CONF_DEF_FIXED("0"), .doc = "W." },
	{ .path = "items",
		CONF_DEF_LIST(struct sample, items, struct item, item_table),
		.doc = "X." },
};
static CONF_TABLE(table, struct sample, rows);

static char file[] = "/tmp/adit-conf-XXXXXX";
static struct conf_errors errors;
static struct conf *conf;
static struct sample *s;

static int load(const char *text)
{
	int fd = mkstemp(file);
	void *base;
	int result;

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	conf_free(&conf);
	errors.n = errors.lost = 0;
	cr_assert_eq(conf_new(&conf, &table, &base), 0);
	s = base;
	result = conf_load(conf, file, &errors);
	unlink(file);
	strcpy(file + strlen(file) - 6, "XXXXXX");
	return result;
}

/* The first error without "FILE:LINE:COLUMN: ". */
static const char *first_error(void)
{
	return errors.n > 0 ? strstr(errors.v[0].text, ": ") + 2 : "-";
}

static void done(void)
{
	conf_free(&conf);
}

TestSuite(conf, .fini = done);

Test(conf, an_empty_file_leaves_the_defaults)
{
	cr_assert_eq(load(""), 0);
	cr_assert_eq(errors.n, 0);
	cr_assert(s->flag);
	cr_assert_eq(s->count, 5);
	cr_assert_eq(s->workers, 0);
	cr_assert_eq(s->port, 7000);
	cr_assert_eq(s->seconds, 7);
	cr_assert_eq(s->ms, 3000);
	cr_assert_str_eq(s->text, "t");
	cr_assert_str_eq(s->token, "");
	cr_assert_eq(s->level, 1);
	cr_assert_eq(s->items.n, 0);
}

Test(conf, reads_every_type)
{
	cr_assert_eq(load("flag: false\n"
			  "count: 10\n"
			  "workers: 8\n"
			  "port: 65535\n"
			  "in:\n"
			  "  seconds: -1\n"
			  "  ms: 100\n"
			  "  deep: {text: 'x', token: 0123}\n"
			  "level: high\n"
			  "scopes: [B, A]\n"
			  "names: [a, \"b\"]\n"
			  "notes: {k: v, l: , m: 1}\n"
			  "ports: [{start: 1, end: 9}, {single: 7}]\n"
			  "items:\n"
			  "- name: n0\n"
			  "  kind: low\n"
			  "  more: {off: false}\n"
			  "- {port: 1, notes: {a: b}}\n"),
		0);
	cr_assert_eq(errors.n, 0, "%s", errors.v[0].text);
	cr_assert_not(s->flag);
	cr_assert_eq(s->count, 10);
	cr_assert_eq(s->workers, 8);
	cr_assert_eq(s->port, 65535);
	cr_assert_eq(s->seconds, -1);
	cr_assert_eq(s->ms, 100000);
	cr_assert_str_eq(s->text, "x");
	cr_assert_str_eq(s->token, "0123");
	cr_assert_eq(s->level, 2);
	cr_assert_eq(s->scopes, 3);
	cr_assert_eq(s->names.n, 2);
	cr_assert_str_eq(s->names.v[1], "b");
	cr_assert_eq(s->notes.n, 3);
	cr_assert_str_eq(s->notes.v[1].value, "");
	cr_assert_str_eq(s->notes.v[2].key, "m");
	cr_assert_eq(s->ports.n, 2);
	cr_assert_eq(s->ports.v[0].end, 9);
	cr_assert_eq(s->ports.v[1].start, 7);
	cr_assert_eq(s->ports.v[1].end, 7);
	cr_assert_eq(s->items.n, 2);
	cr_assert_str_eq(s->items.v[0].name, "n0");
	cr_assert_eq(s->items.v[0].port, 80);
	cr_assert_eq(s->items.v[0].kind, 1);
	cr_assert_str_eq(s->items.v[1].name, "");
	cr_assert_eq(s->items.v[1].port, 1);
	cr_assert_str_eq(s->items.v[1].notes.v[0].value, "b");
}

Test(conf, zero_and_empty_ask_for_the_default_where_frp_does)
{
	cr_assert_eq(load("count: 0\nin: {deep: {text: \"\"}}\n"), 0);
	cr_assert_eq(errors.n, 0);
	cr_assert_eq(s->count, 5);
	cr_assert_str_eq(s->text, "t");
}

Test(conf, no_value_is_the_default)
{
	cr_assert_eq(load("port:\nin:\nweb: ~\noff: null\nitems:\n"), 0);
	cr_assert_eq(errors.n, 0);
	cr_assert_eq(s->port, 7000);
	cr_assert_not(conf_given(conf, "port"));
}

Test(conf, keys_that_are_not_built_may_be_off)
{
	cr_assert_eq(load("off: false\nwords: tcp\nempty: []\n"
			  "web: {port: 0}\n"),
		0);
	cr_assert_eq(errors.n, 0);
	cr_assert_eq(load("words: \"\"\nempty: {}\nweb: {}\n"), 0);
	cr_assert_eq(errors.n, 0);
	cr_assert_eq(load("web: {port: 0, user: '', deep: {on: false, n: 0, "
			  "list: [], none: }}\n"),
		0);
	cr_assert_eq(errors.n, 0, "%s", first_error());
	cr_assert_eq(load("later: {on: false, deep: {text: ''}}\n"), 0);
	cr_assert_eq(errors.n, 0, "%s", first_error());
	cr_assert_eq(load("address: 0.0.0.0\n"), 0);
	cr_assert_eq(errors.n, 0);
	/* As in JSON. */
	cr_assert_eq(load("\"address\": \"127.0.0.1\"\n"), 0);
	cr_assert_eq(errors.n, 0, "%s", first_error());
}

Test(conf, refuses_wrong_values)
{
	static const char *const wrong[][2] = {
		{ "flag: yes", "flag: \"yes\"; true or false is allowed" },
		{ "flag: 'true'", "flag: \"true\"; true or false without "
				  "quotes is allowed" },
		{ "flag: [true]", "flag: a list; true or false is allowed" },
		{ "count: 11",
			"count: \"11\"; a number from 1 to 10 is allowed" },
		{ "count: '3'", "count: \"3\"; a number without quotes from 1 "
				"to 10 is allowed" },
		{ "count: 0x3",
			"count: \"0x3\"; a number from 1 to 10 is allowed" },
		{ "count: 03",
			"count: \"03\"; a number from 1 to 10 is allowed" },
		{ "count: 3.0",
			"count: \"3.0\"; a number from 1 to 10 is allowed" },
		{ "count: 99999999999999999999",
			"count: \"99999999999999999999\"; a number from 1 to "
			"10 is allowed" },
		{ "workers: many", "workers: \"many\"; a number from 1 to 8 or "
				   "auto is allowed" },
		{ "workers: 0", "workers: \"0\"; a number from 1 to 8 or auto "
				"is allowed" },
		{ "port: 65536", "port: \"65536\"; a number from 1 to 65535 is "
				 "allowed" },
		{ "port: -1",
			"port: \"-1\"; a number from 1 to 65535 is allowed" },
		{ "in: {ms: -2}", "in.ms: \"-2\"; a number from -1 to 100 "
				  "seconds is allowed" },
		{ "in: {ms: {a: 1}}",
			"in.ms: keys and values; a number from -1 to 100 "
			"seconds is allowed" },
		{ "in: {deep: {text: [a]}}",
			"in.deep.text: a list; a string is allowed" },
		{ "in: 5", "in: ***; keys and values are allowed" },
		{ "level: mid", "level: \"mid\"; one of low, high is allowed" },
		{ "level: top", "level: \"top\"; not supported yet (allowed: "
				"low, high)" },
		{ "scopes: A", "scopes: \"A\"; a list is allowed" },
		{ "scopes: [A, C]",
			"scopes[1]: \"C\"; one of A, B is allowed" },
		{ "names: {a: b}",
			"names: keys and values; a list is allowed" },
		{ "names: [a, ]", "-" },
		{ "names: [a, ~]", "names[1]: no value; a string is allowed" },
		{ "names: [[a]]", "names[0]: a list; a string is allowed" },
		{ "notes: [a]", "notes: a list; keys and values are allowed" },
		{ "notes: {a: [b]}", "notes.a: a list; a string is allowed" },
		{ "ports: [1]",
			"ports[0]: \"1\"; {start: A, end: B} with A up to B or "
			"{single: A} is allowed" },
		{ "ports: [{start: 5}]",
			"ports[0]: keys and values; {start: A, end: B} with A "
			"up to B or {single: A} is allowed" },
		{ "ports: [{start: 5, end: 4}]",
			"ports[0]: keys and values; {start: A, end: B} with A "
			"up to B or {single: A} is allowed" },
		{ "ports: [{start: 5, single: 4}]",
			"ports[0]: keys and values; {start: A, end: B} with A "
			"up to B or {single: A} is allowed" },
		{ "ports: [{single: 0}]",
			"ports[0].single: \"0\"; a number from 1 to 65535 is "
			"allowed" },
		{ "ports: [{to: 5}]",
			"ports[0].to: \"5\"; unknown key (allowed: start, end, "
			"single)" },
		{ "off: true",
			"off: \"true\"; not supported yet (allowed: false)" },
		{ "off: 'false'", "off: \"false\"; the same without quotes is "
				  "allowed" },
		{ "web: {port: '0'}",
			"web.port: \"0\"; the same without quotes is "
			"allowed" },
		{ "address: '::'",
			"address: \"::\"; not supported yet (allowed: "
			"127.0.0.1, 0.0.0.0)" },
		{ "words: kcp",
			"words: \"kcp\"; not supported yet (allowed: tcp, "
			"\"\")" },
		{ "empty: [a]",
			"empty: a list; not supported yet (allowed: [], {})" },
		{ "web: {port: 8080}",
			"web.port: \"8080\"; not supported yet (allowed: 0)" },
		{ "web: {user: me}", "web.user: a key of frp; not supported "
				     "yet (allowed: leave it out)" },
		{ "web: {user: 'false'}", "web.user: a key of frp; not "
					  "supported yet (allowed: leave it "
					  "out)" },
		{ "later: {on: false, deep: {text: x}}",
			"later: keys and values; not supported yet (allowed: "
			"leave it out)" },
		{ "later: {list: [0]}",
			"later: keys and values; not supported yet (allowed: "
			"leave it out)" },
		{ "later: false",
			"later: ***; not supported yet (allowed: leave it "
			"out)" },
		{ "web: secret",
			"web: ***; not supported yet (allowed: leave it out)" },
		{ "items: {name: a}",
			"items: keys and values; a list is allowed" },
		{ "items: [a]",
			"items[0]: \"a\"; keys and values are allowed" },
		{ "items: [{}, {kind: top}]",
			"items[1].kind: \"top\"; not supported yet (allowed: "
			"low, high)" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(load(wrong[i][0]), 0, "%s", wrong[i][0]);
		cr_expect_str_eq(first_error(), wrong[i][1], "%s", wrong[i][0]);
		cr_expect_leq(errors.n, 1, "%s", wrong[i][0]);
	}
}

Test(conf, names_unknown_keys_and_the_nearest)
{
	static const char *const wrong[][2] = {
		{ "flog: true",
			"flog: unknown key; the nearest known key is flag" },
		{ "xyzzy: 1", "xyzzy: unknown key; aditd.yaml(5) and "
			      "adit.yaml(5) have the known keys" },
		{ "in: {second: 1}", "in.second: unknown key; the nearest "
				     "known key is in.seconds" },
		{ "token: x", "token: unknown key; the nearest known key is "
			      "in.deep.token" },
		{ "in.ms: 1", "in.ms: a key with dots; nested keys are "
			      "allowed: in: {ms: ...}" },
		{ "in.deep: {text: x}", "in.deep: a key with dots; nested keys "
					"are allowed: in: {deep: ...}" },
		{ "in: {deep.text: x}",
			"in.deep.text: a key with dots; nested keys are "
			"allowed: deep: {text: ...}" },
		{ "in.deep.text: x",
			"in.deep.text: a key with dots; nested keys are "
			"allowed: in: {deep: {text: ...}}" },
		{ "\"notes.a\\n\": x",
			"notes.a\\n: a key with dots; nested keys "
			"are allowed: notes: {a\\n: ...}" },
		{ "in.second: 1", "in.second: unknown key; the nearest known "
				  "key is in.seconds" },
		{ "web.port: 0", "web.port: a key with dots; nested keys are "
				 "allowed: web: {port: ...}" },
		{ "web.user: me", "web.user: a key of frp; not supported yet "
				  "(allowed: leave it out)" },
		{ "items: [{more.off: false}]",
			"items[0].more.off: a key with dots; nested keys are "
			"allowed: more: {off: ...}" },
		{ "items: [{nam: a}]",
			"items[0].nam: unknown key; the nearest known key is "
			"items[0].name" },
		{ "items: [{more: {of: a}}]",
			"items[0].more.of: unknown key; the nearest known key "
			"is items[0].more.off" },
		{ "\"a\\nb\": 1", "a\\nb: unknown key; aditd.yaml(5) and "
				  "adit.yaml(5) have the known keys" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(load(wrong[i][0]), 0);
		cr_expect_str_eq(first_error(), wrong[i][1], "%s", wrong[i][0]);
	}
}

/* It is as long as no known one, and all dots. */
Test(conf, a_long_key_with_dots_is_named)
{
	char text[1000] = "notes";

	memset(text + 5, '.', 900);
	strcpy(text + 905, ": x");
	cr_assert_eq(load(text), 0);
	cr_assert_eq(errors.n, 1);
	strcpy(text + 240, ": x");
	cr_assert_eq(load(text), 0);
	cr_assert_eq(errors.n, 1);
	cr_assert(strstr(first_error(), "a key with dots"));
}

Test(conf, reports_all_errors_in_order_with_their_places)
{
	char line[100];

	cr_assert_eq(load("port: x\n"
			  "flog: 1\n"
			  "in:\n"
			  "  ms: y\n"
			  "flag: 1\n"
			  "flag: true\n"
			  "items:\n"
			  "  - kind: z\n"),
		0);
	cr_assert_eq(errors.n, 6);
	cr_assert(strstr(errors.v[0].text, ":1:7: port: "));
	cr_assert(strstr(errors.v[1].text, ":2:1: flog: "));
	cr_assert(strstr(errors.v[2].text, ":4:7: in.ms: "));
	cr_assert(strstr(errors.v[3].text, ":5:7: flag: "));
	cr_assert(strstr(errors.v[4].text, ":6:1: flag: a duplicate"));
	cr_assert(strstr(errors.v[5].text, ":8:11: items[0].kind: "));
	snprintf(line, sizeof(line), "/tmp/adit-conf-");
	cr_assert_eq(strncmp(errors.v[0].text, line, strlen(line)), 0);
}

Test(conf, a_check_names_the_place_of_a_value)
{
	cr_assert_eq(load("items:\n  - name: a\n    port: 7\n"), 0);
	conf_fault(conf, &errors, "items[0].port", "%d; x", 7);
	conf_fault(conf, &errors, "items[0].kind", "no value; y");
	cr_assert(strstr(errors.v[0].text, ":2:5: items[0].kind: no value; y"));
	cr_assert(strstr(errors.v[1].text, ":3:11: items[0].port: 7; x"));
	cr_assert(conf_given(conf, "items[0].port"));
	cr_assert_not(conf_given(conf, "items[1].port"));
}

Test(conf, a_key_too_long_is_unknown)
{
	char text[900];

	memset(text, 'k', sizeof(text));
	strcpy(text + sizeof(text) - 10, ": 1\n");
	cr_assert_eq(load(text), 0);
	cr_assert_eq(errors.n, 1);
	cr_assert(strstr(first_error(), "unknown key"));
}

static char *dump(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	conf_dump(&table, s, out);
	fclose(out);
	return text;
}

Test(conf, dumps_effective_values)
{
	char *text;

	cr_assert_eq(load("in: {deep: {token: hidden, text: \"a\\\"\\n\"}}\n"
			  "names: [p]\nscopes: [B]\nports: [{single: 3}]\n"
			  "notes: {k: v}\nitems: [{name: i, port: 2}]\n"),
		0);
	text = dump();
	cr_assert_str_eq(text, "flag: true\n"
			       "count: 5\n"
			       "workers: auto\n"
			       "port: 7000\n"
			       "in:\n"
			       "  seconds: 7\n"
			       "  ms: 3\n"
			       "  deep:\n"
			       "    text: \"a\\\"\\x0a\"\n"
			       "    token: \"***\"\n"
			       "level: low\n"
			       "scopes: [B]\n"
			       "names: [\"p\"]\n"
			       "notes: {\"k\": \"v\"}\n"
			       "ports: [{single: 3}]\n"
			       "items:\n"
			       "  - name: \"i\"\n"
			       "    port: 2\n"
			       "    kind: \"\"\n"
			       "    notes: {}\n");
	free(text);
}

Test(conf, a_dump_read_again_gives_the_same_dump)
{
	char *first;
	char *second;

	cr_assert_eq(load("in: {ms: -1}\nitems: [{kind: low, "
			  "notes: {\"a b\": \"c: d\"}}, {kind: high}]\n"
			  "ports: [{start: 2, end: 4}]\n"),
		0);
	first = dump();
	cr_assert_eq(load(first), 0);
	cr_assert_eq(errors.n, 0, "%s", errors.v[0].text);
	second = dump();
	cr_assert_str_eq(first, second);
	free(first);
	free(second);
}

Test(conf, a_sample_explains_its_keys)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(conf_sample(&table, out), 0);
	fclose(out);
	cr_assert(strstr(text, "# G. (1 to 10)\ncount: 5\n"));
	cr_assert(strstr(text, "# H. (auto, 1 to 8)\nworkers: auto\n"));
	cr_assert(strstr(text, "\nin:\n  # J. (-1 to 100 seconds)\n"));
	cr_assert(strstr(text, "# N. (low, high)\nlevel: low\n"));
	cr_assert(strstr(text, "# X.\nitems: []\n"));
	cr_assert_null(strstr(text, "web"));
	free(text);
}

/* Damaged files end in errors, not in crashes. */
Test(conf, survives_damage)
{
	static const char text[] =
		"in: {ms: 1, deep: {text: a}}\nports: [{single: 1}]\n"
		"items: [{name: a, more: {off: false}}, {notes: {b: c}}]\n"
		"web: {port: 0}\nnames: [a]\nscopes: [A]\nempty: []\n";
	static const char damage[] = "{}[]:,'\"#&*!|>%@-? \n\t~0a\x80";
	char copy[sizeof(text)];
	size_t i, k;

	for (i = 0; i < sizeof(text) - 1; i++) {
		for (k = 0; k < sizeof(damage) - 1; k++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = damage[k];
			cr_expect_leq(load(copy), 0);
		}
	}
}
