/* SPDX-License-Identifier: Apache-2.0 */

/* Comments and templates in a file of users, and what only looks like one. */
// links: server/users/handwriting.c

#include "server/users/handwriting.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *text, const char *what, size_t line)
{
	size_t at;
	const char *have = handwriting_find(text, strlen(text), &at);

	if (!what) {
		cr_assert_null(have, "%s: %s", text, have);
		return;
	}
	cr_assert(have && strstr(have, what), "%s: no %s", text, what);
	cr_assert_eq(at, line, "%s: line %zu", text, at);
}

Test(handwriting, comments)
{
	expect("# ours\nusers: []\n", "comment", 1);
	expect("users:\n  # alice\n- name: a\n", "comment", 2);
	expect("users:\n- name: a # alice\n", "comment", 2);
	expect("users:\n- name: a\t# alice\n", "comment", 2);
	expect("users: [{name: a},# b\n]", "comment", 1);
	expect("users: []#", "comment", 1);
	expect("a: \"x\"# b", "comment", 1);
	expect("a: 'x' # b", "comment", 1);
	expect("a: it's # b", "comment", 1);
	expect("a: say \"x # b", "comment", 1);
	expect("a: \"\\\"\" # b", "comment", 1);
	expect("a: \"\\\\\" # b", "comment", 1);
	expect("a: 'b '' ' # c", "comment", 1);
	expect("a: it''s # c", "comment", 1);
	expect("a: \"b\n\n  c\"\nd: e # f\n", "comment", 4);
	expect("a: b\r# c", "comment", 1);
}

Test(handwriting, templates)
{
	expect("users:\n- name: a\n  frpToken: \"{{ .Envs.X }}\"\n", "template",
		3);
	expect("{{- range $i }}", "template", 1);
}

Test(handwriting, what_is_neither)
{
	expect("", NULL, 0);
	expect("{", NULL, 0);
	expect("users:\n- name: a#b\n", NULL, 0);
	expect("a: \"b # c\"\n", NULL, 0);
	expect("a: \"b \\\" # c\"\n", NULL, 0);
	expect("a: 'b # c'\n", NULL, 0);
	expect("a: 'it''s # c'\n", NULL, 0);
	expect("- \"a\n  # b\"\n", NULL, 0);
	expect("{\"users\": [{\"name\": \"a\", \"frpToken\": \"b #c\"}]}", NULL,
		0);
}
