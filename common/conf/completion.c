/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Each script first finds the words before the cursor that are no options nor
 * their values: what may follow is decided by these.
 */

#include "common/conf/completion.h"

#include <string.h>

static const char header[] =
	"# Written from the tables of the program; see config/README.md.\n\n";

/* Text inside '...', with what ends it, and `more`, escaped. */
static void write_quoted(FILE *out, const char *text, const char *more)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(more, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static bool is_file(const struct command_option *o)
{
	return o->argument && !strcmp(o->argument, "FILE");
}

/* A pattern of the options that have a value (and are files, if asked): a
 * pattern of `case`, parted by `part`. */
static void write_valued(
	FILE *out, const struct command *c, bool files, const char *part)
{
	const char *comma = "";

	for (size_t i = 0; i < c->n; i++) {
		const struct command_option *o = &c->options[i];

		if (!o->argument || (files && !is_file(o)))
			continue;
		if (o->letter)
			fprintf(out, "%s-%c", comma, o->letter);
		comma = o->letter ? part : comma;
		fprintf(out, "%s--%s", comma, o->name);
		comma = part;
	}
}

/* Whether the row is the first one after these words. */
static bool is_first(const struct command *c, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (!strcmp(c->words[i].after, c->words[row].after))
			return false;
	return true;
}

/* --- bash --- */

static void write_bash(FILE *out, const char *program, const struct command *c)
{
	fputs(header, out);
	fprintf(out,
		"_%s() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} i path= words=\n"
		"\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\tif [[ $cur == = ]]; then\n\t\tcur=\n"
		"\telif [[ $prev == = ]]; then\n"
		"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
		"\tCOMPREPLY=()\n\tcase $prev in\n\t",
		program);
	write_valued(out, c, true, " | ");
	fputs(")\n\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\t\treturn ;;\n\t",
		out);
	write_valued(out, c, false, " | ");
	fputs(") return ;;\n\tesac\n"
	      "\tif [[ $cur == -* ]]; then\n\t\twords='",
		out);
	for (size_t i = 0; i < c->n; i++)
		fprintf(out, "%s--%s", i ? " " : "", c->options[i].name);
	fputs("'\n\telse\n"
	      "\t\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t\tcase ${COMP_WORDS[i]} in\n\t\t\t",
		out);
	write_valued(out, c, false, " | ");
	fputs(")\n\t\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	      "\t\t\t\t((i++)) ;;\n"
	      "\t\t\t-*) ;;\n"
	      "\t\t\t*) path+=${path:+ }${COMP_WORDS[i]} ;;\n"
	      "\t\t\tesac\n\t\tdone\n\t\tcase $path in\n",
		out);
	for (size_t i = 0; i < c->word_count; i++) {
		if (!is_first(c, i))
			continue;
		fprintf(out, "\t\t'%s') words='", c->words[i].after);
		for (size_t k = i; k < c->word_count; k++)
			if (!strcmp(c->words[k].after, c->words[i].after))
				fprintf(out, "%s%s", k > i ? " " : "",
					c->words[k].name);
		fputs("' ;;\n", out);
	}
	fprintf(out,
		"\t\tesac\n\tfi\n"
		"\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
		"\"$cur\")\n}\ncomplete -F _%s %s\n",
		program, program);
}

/* --- zsh --- */

static void write_zsh_option(FILE *out, const struct command_option *o)
{
	const char *plus = o->argument ? "+" : "";
	const char *equals = o->argument ? "=" : "";

	fputs(" \\\n\t\t", out);
	if (o->type == COMMAND_WORDS)
		fputs("'*'", out);
	else if (o->letter)
		fprintf(out, "'(-%c --%s)'", o->letter, o->name);
	if (o->letter)
		fprintf(out, "{-%c%s,--%s%s}", o->letter, plus, o->name,
			equals);
	else
		fprintf(out, "--%s%s", o->name, equals);
	fputs("'[", out);
	write_quoted(out, o->doc, "[]\\");
	fputs("]", out);
	if (o->argument) {
		fputc(':', out);
		write_quoted(out, o->argument, ":\\");
		fputs(is_file(o) ? ":_files" : ": ", out);
	}
	fputc('\'', out);
}

static void write_zsh(FILE *out, const char *program, const struct command *c)
{
	fprintf(out, "#compdef %s\n%s", program, header);
	fprintf(out,
		"_%s() {\n\tlocal curcontext=$curcontext state line\n"
		"\tlocal -a here\n\ttypeset -A opt_args\n"
		"\t_arguments -C -S",
		program);
	for (size_t i = 0; i < c->n; i++)
		write_zsh_option(out, &c->options[i]);
	fputs(" \\\n\t\t'*:word:->word' && return\n"
	      "\tcase \"${(j: :)line[1,-2]}\" in\n",
		out);
	for (size_t i = 0; i < c->word_count; i++) {
		if (!is_first(c, i))
			continue;
		fprintf(out, "\t'%s')\n\t\there=(", c->words[i].after);
		for (size_t k = i; k < c->word_count; k++) {
			if (strcmp(c->words[k].after, c->words[i].after) != 0)
				continue;
			fprintf(out, "\n\t\t\t'%s:", c->words[k].name);
			write_quoted(out, c->words[k].doc, "\\");
			fputc('\'', out);
		}
		fputs(") ;;\n", out);
	}
	fprintf(out,
		"\tesac\n\t[[ $state == word ]] && "
		"_describe -t commands word here\n}\n\n"
		"if [[ $funcstack[1] == _%s ]]; then\n\t_%s \"$@\"\nelse\n"
		"\tcompdef _%s %s\nfi\n",
		program, program, program, program);
}

/* --- fish --- */

static void write_fish(FILE *out, const char *program, const struct command *c)
{
	fputs(header, out);
	fprintf(out,
		"function __%s_after\n\tset -l path\n\tset -l skip 0\n"
		"\tset -l tokens (commandline -opc)\n\tset -e tokens[1]\n"
		"\tfor t in $tokens\n"
		"\t\tif test $skip = 1\n\t\t\tset skip 0\n\t\t\tcontinue\n"
		"\t\tend\n\t\tswitch $t\n\t\t\tcase ",
		program);
	write_valued(out, c, false, " ");
	fprintf(out,
		"\n\t\t\t\tset skip 1\n\t\t\tcase '-*'\n"
		"\t\t\tcase '*'\n\t\t\t\tset -a path $t\n"
		"\t\tend\n\tend\n\ttest \"$path\" = \"$argv[1]\"\nend\n\n"
		"complete -c %s -f\n",
		program);
	for (size_t i = 0; i < c->n; i++) {
		const struct command_option *o = &c->options[i];

		fprintf(out, "complete -c %s", program);
		if (o->letter)
			fprintf(out, " -s %c", o->letter);
		fprintf(out, " -l %s%s -d '", o->name,
			is_file(o)    ? " -r -F"
			: o->argument ? " -x"
				      : "");
		write_quoted(out, o->doc, "\\");
		fputs("'\n", out);
	}
	for (size_t i = 0; i < c->word_count; i++) {
		fprintf(out, "complete -c %s -n \"__%s_after '%s'\" -a %s -d '",
			program, program, c->words[i].after, c->words[i].name);
		write_quoted(out, c->words[i].doc, "\\");
		fputs("'\n", out);
	}
}

/* --- which --- */

static const struct {
	const char *name;
	void (*write)(FILE *out, const char *program, const struct command *c);
} shells[] = {
	{ "bash", write_bash },
	{ "zsh", write_zsh },
	{ "fish", write_fish },
};

int completion_shell(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (!strcmp(shells[i].name, name))
			return (int)i;
	return -1;
}

void completion_write(
	FILE *out, int shell, const char *program, const struct command *c)
{
	shells[shell].write(out, program, c);
}
