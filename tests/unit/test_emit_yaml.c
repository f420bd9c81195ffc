/* SPDX-License-Identifier: Apache-2.0 */

/* Kept files: written by a table, and read again by it. */
// links: common/conf/emit.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c
// libs: -lyaml

#include "common/conf/emit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/conf.h"

struct item {
	const char *name, *secret;
	struct conf_strings words;
	struct conf_ranges ports;
	int bits;
	int64_t few, many, skew;
	bool off;
};

struct file {
	struct {
		size_t n;
		struct item *v;
	} items;
};

#define ITEM(type, field) CONF_DEF(type, struct item, field)

static const struct conf_choices bits =
	CONF_CHOICES({ "one", 1, false }, { "two", 2, false });
static const struct conf_choices skews =
	CONF_CHOICES({ "usual", 0, false }, { "any", -1, false });

static const struct conf_row item_rows[] = {
	{ .path = "name", ITEM(STRING, name), .def = "" },
	{ .path = "secret", ITEM(SECRET, secret), .def = "" },
	{ .path = "words", ITEM(STRINGS, words), .def = "" },
	{ .path = "ports", ITEM(RANGES, ports) },
	{ .path = "bits", ITEM(WORDS, bits), .choices = &bits },
	{ .path = "limits.few", ITEM(INT, few), .def = "0", .max = 9 },
	{ .path = "limits.of.many", ITEM(INT, many), .def = "0", .max = 9 },
	{ .path = "skew",
		ITEM(INT, skew),
		.def = "usual",
		.min = 1,
		.max = 9,
		.choices = &skews },
	{ .path = "off", ITEM(BOOL, off), .def = "false" },
};
static CONF_TABLE(item_table, struct item, item_rows);

static const struct conf_row file_rows[] = {
	{ .path = "items",
		CONF_DEF_LIST(struct file, items, struct item, item_table) },
};
static CONF_TABLE(file_table, struct file, file_rows);

#define FULL                                                   \
	"items:\n"                                             \
	"- name: \"a \\\"b\\\" #c: \\n\xc3\xa4 2030-12-31\"\n" \
	"  secret: \"true\"\n"                                 \
	"  words:\n"                                           \
	"  - \"*.a.test\"\n"                                   \
	"  - \"\"\n"                                           \
	"  ports:\n"                                           \
	"  - start: 1\n"                                       \
	"    end: 9\n"                                         \
	"  - single: 7\n"                                      \
	"  bits:\n"                                            \
	"  - one\n"                                            \
	"  - two\n"                                            \
	"  limits:\n"                                          \
	"    few: 3\n"                                         \
	"    of:\n"                                            \
	"      many: 4\n"                                      \
	"  skew: any\n"                                        \
	"  off: true\n"                                        \
	"- name: \"b\"\n"                                      \
	"  limits:\n"                                          \
	"    of:\n"                                            \
	"      many: 1\n"

static struct conf_errors errors;

static struct file *load(const char *text, struct conf **conf_r)
{
	char name[] = "/tmp/test_emit_yaml.XXXXXX";
	int fd = mkstemp(name);
	void *base;

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(conf_new(conf_r, &file_table, &base), 0);
	cr_assert_eq(conf_load(*conf_r, name, &errors), 0);
	cr_assert_eq(errors.n, 0, "%s", errors.v[0].text);
	unlink(name);
	return base;
}

Test(emit_yaml, what_was_read_is_written_and_read_again)
{
	struct conf *conf, *again;
	struct file *f = load(FULL, &conf), *g;
	size_t size;
	char *text;

	cr_assert_eq(conf_emit(&file_table, f, &text, &size), 0);
	cr_assert_eq(size, strlen(text));
	cr_assert_str_eq(text, FULL);
	g = load(text, &again);
	cr_assert_eq(g->items.n, 2);
	cr_assert_str_eq(g->items.v[0].name, f->items.v[0].name);
	cr_assert_str_eq(g->items.v[0].secret, "true");
	cr_assert_eq(g->items.v[0].skew, -1);
	cr_assert_eq(g->items.v[1].skew, 0);
	cr_assert_eq(g->items.v[1].many, 1);
	free(text);
	conf_free(&conf);
	conf_free(&again);
}

Test(emit_yaml, nothing)
{
	const struct file none = { { 0, NULL } };
	struct conf *conf;
	size_t size;
	char *text;

	cr_assert_eq(conf_emit(&file_table, &none, &text, &size), 0);
	cr_assert_eq(load(text, &conf)->items.n, 0);
	free(text);
	conf_free(&conf);
}
