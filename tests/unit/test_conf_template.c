/* SPDX-License-Identifier: Apache-2.0 */

/* Templates: what they expand to, what is refused, where things came from. */
// links: common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/error.c

#include "common/conf/template.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct conf_errors errors;
static struct conf_expansion e;

static int expand(const char *text)
{
	memset(&errors, 0, sizeof(errors));
	conf_expansion_free(&e);
	return conf_template_expand(
		&e, text, strlen(text), 1 << 20, "f", &errors);
}

static void begin(void)
{
	setenv("ADIT_TEST_A", "alpha", 1);
	setenv("ADIT_TEST_EMPTY", "", 1);
	unsetenv("ADIT_TEST_NONE");
}

static void end(void)
{
	conf_expansion_free(&e);
}

TestSuite(conf_template, .init = begin, .fini = end);

Test(conf_template, expands)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "a: {{ .Envs.ADIT_TEST_A }}!", "a: alpha!" },
		{ "a: {{.Envs.ADIT_TEST_A}}{{$.Envs.ADIT_TEST_A}}",
			"a: alphaalpha" },
		{ "[{{ .Envs.ADIT_TEST_EMPTY }}]", "[]" },
		{ "a {{- /* no */ -}} b", "ab" },
		{ "a {{/* }} no */}} b", "a  b" },
		{ "a {{- .Envs.ADIT_TEST_A -}} \n b", "aalphab" },
		{ "{{ \"x }} y\" }}{{ `z` }}", "x }} yz" },
		{ "{{range parseNumberRange \"1-3, 7\"}}<{{.}}>{{end}}",
			"<1><2><3><7>" },
		{ "{{range $v := parseNumberRange \"5\"}}<{{$v}}>{{end}}",
			"<5>" },
		{ "{{range $i, $v := parseNumberRange \"5,6\"}}{{$i}}={{$v}} "
		  "{{end}}",
			"0=5 1=6 " },
		{ "{{- range $_, $v := parseNumberRangePair \"6000-6001,7\" "
		  "\"1-2,9\" }}\n- {{ $v.First }}:{{ $v.Second }}\n"
		  "{{- end }}\n",
			"\n- 6000:1\n- 6001:2\n- 7:9\n" },
		{ "{{range parseNumberRangePair \"1\" \"2\"}}{{.First}}-"
		  "{{.Second}}{{end}}",
			"1-2" },
		{ "{{range $a := parseNumberRange \"1-2\"}}{{range $b := "
		  "parseNumberRange \"3-4\"}}{{$a}}{{$b}} {{end}}{{end}}",
			"13 14 23 24 " },
		{ "{{if .Envs.ADIT_TEST_A}}y{{else}}n{{end}}", "y" },
		{ "{{if .Envs.ADIT_TEST_NONE}}y{{else}}n{{end}}", "n" },
		{ "{{if .Envs.ADIT_TEST_EMPTY}}y{{end}}", "" },
		{ "{{if .Envs.ADIT_TEST_NONE}}{{ .Envs.ADIT_TEST_NONE }}"
		  "{{range nothing}}{{end}}{{end}}x",
			"x" },
		{ "{{if .Envs.ADIT_TEST_NONE}}{{if .Envs.ADIT_TEST_A}}a{{else}}"
		  "b{{end}}{{else}}c{{end}}",
			"c" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(expand(cases[i][0]), 0, "%s: %s", cases[i][0],
			errors.v[0].text);
		cr_assert_eq(e.size, strlen(cases[i][1]), "%s: %.*s",
			cases[i][0], (int)e.size, e.bytes);
		cr_assert(!e.size || !memcmp(e.bytes, cases[i][1], e.size),
			"%s: %.*s", cases[i][0], (int)e.size, e.bytes);
	}
}

Test(conf_template, refuses)
{
	static const char *const cases[][2] = {
		{ "\n a: {{ .Envs.ADIT_TEST_NONE }}",
			"f:2:5: template: ADIT_TEST_NONE; a variable " },
		{ "{{ .Envs.X", "f:1:1: template: an action without" },
		{ "é{{ \"x }}", "f:1:2: template: an action without" },
		{ "{{ end }}", "an end without" },
		{ "{{ else }}", "an else without" },
		{ "{{ if .Envs.ADIT_TEST_A }}{{else}}{{else}}", "an else" },
		{ "x\n {{ range parseNumberRange \"1\" }}",
			"f:2:2: template: a range or if without its end" },
		{ "{{ range parseNumberRange \"2-1\" }}{{end}}",
			"a range that cannot be read" },
		{ "{{ range parseNumberRange \"1-999999\" }}{{end}}",
			"a range that cannot be read" },
		{ "{{ range parseNumberRange \"1,\" }}{{end}}", "cannot be" },
		{ "{{ range parseNumberRange }}{{end}}",
			"without its numbers" },
		{ "{{ range parseNumberRangePair \"1-2\" \"1\" }}{{end}}",
			"of different lengths" },
		{ "{{ range .Envs }}{{end}}", "a range over something else" },
		{ "{{ range $v = parseNumberRange \"1\" }}{{end}}", "\":=\"" },
		{ "{{ $v }}", "that no range around it declares" },
		{ "{{ . }}", "that no range around it declares" },
		{ "{{ range $v := parseNumberRange \"1\" }}{{$v.First}}{{end}}",
			"a field of a number" },
		{ "{{ range $v := parseNumberRangePair \"1\" \"2\" }}{{$v}}"
		  "{{end}}",
			"a pair; " },
		{ "{{ printf \"x\" }}", "an action that is not supported" },
		{ "{{ }}", "an action that is not supported" },
		{ "{{ .Envs.ADIT_TEST_A .Envs.ADIT_TEST_A }}",
			"more than one" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(expand(cases[i][0]), -EINVAL, "%s", cases[i][0]);
		cr_assert_eq(errors.n, 1);
		cr_assert(strstr(errors.v[0].text, cases[i][1]), "%s: %s",
			cases[i][0], errors.v[0].text);
	}
}

/* Ranges in one another end by a limit, not by the patience of the operator. */
Test(conf_template, is_bounded)
{
	char text[2000] = "";

	for (int i = 0; i < 4; i++)
		strcat(text, "{{range parseNumberRange \"1-60000\"}}");
	for (int i = 0; i < 4; i++)
		strcat(text, "{{end}}");
	cr_assert_eq(expand(text), -EINVAL);
	cr_assert(strstr(errors.v[0].text, "too much to expand"));
	cr_assert_eq(expand("{{range parseNumberRange \"1-60000\"}}"
			    "0123456789012345678901234567890123456789{{end}}"),
		-EINVAL);
	cr_assert(strstr(errors.v[0].text, "more than 1 MiB"));
	text[0] = '\0';
	for (int i = 0; i < 17; i++)
		strcat(text, "{{if .Envs.ADIT_TEST_A}}");
	cr_assert_eq(expand(text), -EINVAL);
	cr_assert(strstr(errors.v[0].text, "more than 16 blocks"));
}

static void assert_origin(
	size_t line, size_t column, size_t from_line, size_t from_column)
{
	struct conf_spot s =
		conf_expansion_origin(&e, (struct conf_spot){ line, column });

	cr_assert_eq(s.line, from_line, "%zu:%zu from line %zu", line, column,
		s.line);
	cr_assert_eq(s.column, from_column, "%zu:%zu from column %zu", line,
		column, s.column);
}

Test(conf_template, places_are_those_of_the_file)
{
	cr_assert_eq(expand("a: 1\n"
			    "{{- range $v := parseNumberRange \"10-11\" }}\n"
			    "p{{ $v }}: x\n"
			    "{{- end }}\n"
			    "b: 2\n"),
		0);
	/* a: 1 / p10: x / p11: x / b: 2 */
	assert_origin(1, 4, 1, 4);
	assert_origin(2, 1, 3, 1);
	assert_origin(2, 3, 3, 2);
	assert_origin(2, 6, 3, 12);
	assert_origin(3, 1, 3, 1);
	assert_origin(4, 4, 5, 4);
}
