/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/handwriting.h"

#include <stdbool.h>
#include <string.h>

/* Behind which a comment may begin. */
#define ENDS " \t\r\n[]{},"

/* Behind which, perhaps with blanks between, a text in quotes may begin. */
#define BEGINS "\n:-,[{?"

/* Where one is in the text. */
struct place {
	char quote;  /* the one that is open; 0: none */
	char before; /* the character in front */
	char last;   /* the last one of this line that is no blank, or '\n' */
};

static void pass_quoted(struct place *p, char c)
{
	bool escaped = p->quote == '"' && p->before == '\\';

	/* Behind its end a comment may begin; and a quote that is doubled,
	 * which stands for itself, opens it again. */
	if (c == p->quote && !escaped)
		*p = (struct place){ 0, '\n', '\n' };
	else
		p->before = escaped ? ' ' : c;
}

/* One character further; false: a comment begins with it. */
static bool pass(struct place *p, char c)
{
	if (p->quote) {
		pass_quoted(p, c);
		return true;
	}
	if (c == '#' && strchr(ENDS, p->before))
		return false;
	if ((c == '"' || c == '\'') && strchr(BEGINS, p->last))
		p->quote = c;
	p->before = c;
	if (c == '\n' || c == '\r')
		p->last = '\n';
	else if (c != ' ' && c != '\t')
		p->last = c;
	return true;
}

const char *handwriting_find(const char *text, size_t size, size_t *line_r)
{
	struct place p = { 0, '\n', '\n' };
	const char *what = NULL;

	*line_r = 1;
	for (size_t i = 0; i < size && !what; i++) {
		if (!strncmp(text + i, "{{", 2))
			what = "a template";
		else if (!pass(&p, text[i]))
			what = "a comment";
		*line_r += text[i] == '\n';
	}
	return what;
}
