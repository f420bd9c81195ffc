/* SPDX-License-Identifier: Apache-2.0 */

/* YAML and JSON to a tree: what is read, what is refused and where. */
// links: common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c
// libs: -lyaml

#include "common/conf/yaml.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct conf_tree tree;
static struct conf_arena arena;
static struct conf_errors errors;

static int parse_bytes(const char *bytes, size_t size)
{
	conf_tree_free(&tree);
	conf_arena_free(&arena);
	errors.n = errors.lost = 0;
	return conf_yaml_parse(&tree, &arena, "f", bytes, size, &errors);
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void done(void)
{
	conf_tree_free(&tree);
	conf_arena_free(&arena);
}

TestSuite(conf_yaml, .fini = done);

static const struct conf_node *at(const char *path)
{
	bool exact;
	const struct conf_node *n = conf_tree_find(&tree, path, &exact);

	return exact ? n : NULL;
}

Test(conf_yaml, reads_keys_values_and_places)
{
	cr_assert_eq(parse("a: 1\n"
			   "b:\n"
			   "  c: 'x y'\n"
			   "  d: [p, {e: q}]\n"
			   "f:\n"),
		0);
	cr_assert_eq(errors.n, 0);
	cr_assert_str_eq(at("a")->text, "1");
	cr_assert(at("a")->plain);
	cr_assert_str_eq(at("b.c")->text, "x y");
	cr_assert_not(at("b.c")->plain);
	cr_assert_eq(at("b.c")->line, 3);
	cr_assert_eq(at("b.c")->column, 6);
	cr_assert_eq(at("b.c")->key_column, 3);
	cr_assert_eq(at("b.d")->n, 2);
	cr_assert_str_eq(at("b.d[1].e")->text, "q");
	cr_assert(conf_node_null(at("f")));
	cr_assert_null(at("b.d[2]"));
	cr_assert_null(at("b.c.x"));
	cr_assert_null(at("c"));
}

Test(conf_yaml, finds_the_nearest_node_above)
{
	bool exact;

	cr_assert_eq(parse("a:\n  - b: 1\n"), 0);
	cr_assert_eq(conf_tree_find(&tree, "a[0].c.d", &exact)->line, 2);
	cr_assert_not(exact);
}

Test(conf_yaml, reads_json)
{
	cr_assert_eq(parse("{\n\t\"a\":1,\"b\": {\"c\": [true, null]},\n"
			   "\t\"d\": \"x\\/\\u00e9\"\n}\n"),
		0);
	cr_assert_eq(errors.n, 0, "%s", errors.v[0].text);
	cr_assert_str_eq(at("a")->text, "1");
	cr_assert_eq(at("b.c")->n, 2);
	cr_assert_str_eq(at("d")->text, "x/\xc3\xa9");
}

Test(conf_yaml, an_empty_file_is_an_empty_mapping)
{
	static const char *const rows[] = { "", "# nothing\n", "---\n", "~\n",
		"\xef\xbb\xbf", "\xef\xbb\xbf# mark\n", "{}" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parse(rows[i]), 0, "row %zu", i);
		cr_expect_eq(errors.n, 0, "row %zu", i);
		cr_expect_eq(tree.n, 1, "row %zu", i);
		cr_expect_eq(tree.v[0].kind, CONF_MAPPING, "row %zu", i);
	}
}

/* As editors on Windows write; it is in nobody's column. */
Test(conf_yaml, a_byte_order_mark_is_no_part_of_the_text)
{
	static const char *const rows[] = { "\xef\xbb\xbf"
					    "a: 1\nb: 2\n",
		"\xef\xbb\xbf{\"a\": 1, \"b\": 2}",
		"\xef\xbb\xbf# x\na: {{ range parseNumberRange "
		"\"1-1\" }}{{ . }}{{ end }}\nb: 2\n" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parse(rows[i]), 0, "row %zu", i);
		cr_expect_eq(errors.n, 0, "row %zu: %s", i, errors.v[0].text);
		cr_expect_eq(tree.n, 3, "row %zu", i);
		cr_expect(at("a") && !strcmp(at("a")->text, "1"), "row %zu", i);
	}
	cr_expect_eq(parse("\xef\xbb\xbf"
			   "a: *x\n"),
		-EINVAL);
	cr_expect(strstr(errors.v[0].text, "f:1:4: a: an alias"));
	cr_expect_eq(parse("\xef\xbb\xbf"
			   "a = 1\n"),
		-EINVAL);
	cr_expect(strstr(errors.v[0].text, "f:1:1: file: a TOML"));
	cr_expect_eq(parse("a: 1\n\xef\xbb\xbf"
			   "b: 2\n"),
		-EINVAL);
}

/* Reading stops; the first error begins like this. */
Test(conf_yaml, stops_at_what_cannot_be_placed)
{
	static const char *const rows[][2] = {
		{ "a: [1, 2\n", "f:2:1: a: did not find" },
		{ "a: b: c\n", "f:1:5: file: mapping values are not allowed" },
		{ "\ta: 1\n",
			"f:1:1: file: found character that cannot start" },
		{ "a: *x\n", "f:1:4: a: an alias; " },
		{ "a: 1\n---\nb: 1\n", "f:2:1: file: a second document; " },
		{ "- a\n", "f:1:1: file: a list; " },
		{ "[1]\n", "f:1:1: file: a list; " },
		{ "text\n", "f:1:1: file: a single value; " },
		{ "? {a: 1}\n: 2\n", "f:1:3: file: a collection as a key" },
		{ "a: {{ .Envs.X }}\n", "f:1:4: template: X; a variable "
					"that is set is allowed" },
		{ "a: \x01\n", "f:1:4: file: control characters" },
		{ "a: \xff\n", "f:1:4: file: invalid leading UTF-8" },
		{ "bindPort = 7000\n", "f:1:1: file: a TOML or INI file; " },
		{ "# x\n\nauth.token=\"s\"\n", "f:3:1: file: a TOML or INI" },
		{ "[[proxies]]\nname = 1\n", "f:1:1: file: a TOML or INI" },
		{ "[web]\ntype = 1\n", "f:1:1: file: a TOML or INI" },
		{ "[common]\nx = 1\n", "f:1:1: file: an INI file; " },
		{ "; x\n[common]\n", "f:2:1: file: an INI file; " },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parse(rows[i][0]), -EINVAL, "row %zu", i);
		cr_expect_eq(errors.n, 1, "row %zu", i);
		cr_expect_eq(strncmp(errors.v[0].text, rows[i][1],
				     strlen(rows[i][1])),
			0, "row %zu: %s", i, errors.v[0].text);
	}
}

Test(conf_yaml, toml_secrets_are_not_shown)
{
	cr_assert_eq(parse("token = \"hidden\"\n"), -EINVAL);
	cr_assert_null(strstr(errors.v[0].text, "hidden"));
}

/* What the first line is does not tell what else there is. */
Test(conf_yaml, toml_is_explained_whole)
{
	static const char *const rows[] = { "a = 1\n", "auth.token = \"s\"\n",
		"[auth]\n", "[[proxies]]\n" };
	static const char *const words[] = { "key: value", "auth.token",
		"[auth]", "[[proxies]]" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(parse(rows[i]), -EINVAL);
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			cr_expect(strstr(errors.v[0].text, words[k]), "%zu %s",
				i, errors.v[0].text);
	}
}

/* Reading goes on; the errors are noted. */
Test(conf_yaml, notes_what_is_not_allowed)
{
	cr_assert_eq(parse("a: &x 1\n"
			   "b: !!str 2\n"
			   "<<: {c: 1}\n"
			   "d: \"\\0\"\n"
			   "a: 3\n"
			   "e: {g: 1, h: 2, g: 3}\n"
			   "i: &y [1]\n"),
		0);
	cr_assert_eq(errors.n, 7);
	cr_assert_str_eq(errors.v[0].text,
		"f:1:4: a: an anchor; values without anchors are allowed");
	cr_assert_str_eq(errors.v[1].text,
		"f:2:4: b: a tag; values without tags are allowed");
	cr_assert(strstr(errors.v[2].text, "f:3:1: file: a merge key"));
	cr_assert(strstr(errors.v[3].text, "f:4:4: d: a NUL"));
	cr_assert_str_eq(errors.v[4].text,
		"f:5:1: a: a duplicate of the key in line 1; one is allowed");
	cr_assert(strstr(errors.v[5].text, "f:6:17: g: a duplicate"));
	cr_assert(strstr(errors.v[6].text, "f:7:4: i: an anchor or tag"));
}

static int nested(size_t depth)
{
	char text[1000] = "a: ";
	size_t i;

	for (i = 1; i < depth; i++)
		strcat(text, "[");
	for (i = 1; i < depth; i++)
		strcat(text, "]");
	return parse(text);
}

Test(conf_yaml, is_64_levels_deep_at_most)
{
	cr_assert_eq(nested(64), 0);
	cr_assert_eq(nested(65), -EINVAL);
	cr_assert(strstr(errors.v[0].text, "more than 64 levels"));
}

Test(conf_yaml, a_bomb_of_brackets_ends_soon)
{
	char *text = malloc(CONF_FILE_MAX);

	memset(text, '[', CONF_FILE_MAX);
	text[0] = 'a';
	text[1] = ':';
	text[2] = ' ';
	cr_assert_eq(parse_bytes(text, CONF_FILE_MAX), -EINVAL);
	cr_assert(strstr(errors.v[0].text, "more than 64 levels"));
	free(text);
}

Test(conf_yaml, many_keys_are_no_square, .timeout = 20)
{
	char *text = malloc(CONF_FILE_MAX);
	size_t used = 0;
	size_t i;

	for (i = 0; used < CONF_FILE_MAX - 20; i++)
		used += (size_t)sprintf(text + used, "k%zu: v\n", i);
	cr_assert_eq(parse_bytes(text, used), 0);
	cr_assert_eq(errors.n, 0);
	cr_assert_eq(tree.n, i + 1);
	free(text);
}

Test(conf_yaml, reads_a_file_of_1_mib_at_most)
{
	char name[] = "/tmp/adit-yaml-XXXXXX";
	FILE *out = fdopen(mkstemp(name), "w");
	size_t i;

	fputs("a: 1\n", out);
	for (i = 5; i < CONF_FILE_MAX; i++)
		fputc('\n', out);
	fflush(out);
	cr_expect_eq(conf_yaml_read(&tree, &arena, name, &errors), 0);
	cr_expect_eq(tree.n, 2);
	fputc('\n', out);
	fclose(out);
	conf_tree_free(&tree);
	cr_expect_eq(conf_yaml_read(&tree, &arena, name, &errors), -EINVAL);
	cr_expect(strstr(errors.v[0].text, "more than 1 MiB"));
	unlink(name);
}

Test(conf_yaml, names_a_file_that_cannot_be_read)
{
	cr_assert_eq(
		conf_yaml_read(&tree, &arena, "/nowhere/x", &errors), -ENOENT);
	cr_assert_str_eq(errors.v[0].text,
		"/nowhere/x:1:1: file: No such file or directory; a file that "
		"can be read is allowed");
	cr_assert_eq(conf_yaml_read(&tree, &arena, "/", &errors), -EISDIR);
}

/* No prefix and no damaged byte of a good file may crash the reader. */
Test(conf_yaml, survives_damage)
{
	static const char text[] = "a: {b: [1, 'x'], c: \"\\u00e9\"}\n"
				   "d:\n  - e: |\n      text\n    f: >-\n"
				   "      more\n  - &x y\n";
	char copy[sizeof(text)];
	size_t i;
	int byte;

	for (i = 0; i < sizeof(text); i++)
		cr_expect_leq(parse_bytes(text, i), 0);
	for (i = 0; i < sizeof(text) - 1; i++) {
		for (byte = 0; byte < 256; byte++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = (char)byte;
			cr_expect_leq(parse_bytes(copy, sizeof(text) - 1), 0);
		}
	}
}
