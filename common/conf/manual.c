/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/manual.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/version.h"

/* Text, with what man(7) would take for a request or a sign escaped. */
static void write_text(FILE *out, const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		begins = *text == '\n';
	}
}

static void begin_page(FILE *out, const struct manual *m)
{
	fprintf(out,
		".\\\" Written from the tables of the program; see "
		"config/README.md.\n"
		".TH %s %d \"\" \"adit %s\" \"adit\"\n"
		".SH NAME\n%s \\- %s\n",
		m->name, m->section, ADIT_VERSION, m->name, m->what);
}

/* Both programs run on cores, which serve them (common/event/core.h). */
static const char signals_text[] =
	".SH SIGNALS\n"
	".TP\n.B SIGTERM, SIGINT\n"
	"The first lets running transfers end, for drainTimeout at most; a "
	"second one ends them.\n"
	".TP\n.B SIGHUP\n"
	"Reads the configuration again: see Reload in its manual page. "
	"Without\n"
	"a configuration, or when the terminal has gone, the same as SIGTERM.\n"
	".TP\n.B SIGUSR1\n"
	"Writes all counters into the log.\n"
	".TP\n.B SIGUSR2\n"
	"Opens the files of the logs again, after they were renamed.\n";

void manual_command(FILE *out, const struct manual *m, const struct command *c)
{
	begin_page(out, m);
	fputs(".SH SYNOPSIS\n.nf\n", out);
	write_text(out, c->usage);
	fputs(".fi\n.SH DESCRIPTION\n", out);
	write_text(out, c->about);
	fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; i < c->n; i++) {
		const struct command_option *o = &c->options[i];

		fputs(".TP\n.B ", out);
		if (o->letter)
			fprintf(out, "\\-%c\\fR,\\fB ", o->letter);
		fputs("\\-\\-", out);
		write_text(out, o->name);
		if (o->argument)
			fprintf(out, "\\fR \\fI%s", o->argument);
		fputc('\n', out);
		write_text(out, o->doc);
		fputs(".\n", out);
	}
	if (m->stays)
		fputs(signals_text, out);
	if (m->more)
		fputs(m->more, out);
}

static const char *type_name(enum conf_type type)
{
	switch (type) {
	case CONF_BOOL:
		return "true or false";
	case CONF_INT:
	case CONF_SECONDS:
	case CONF_MS:
		return "number";
	case CONF_PORT:
		return "port";
	case CONF_STRING:
		return "string";
	case CONF_SECRET:
		return "string, never shown";
	case CONF_ENUM:
		return "word";
	case CONF_WORDS:
		return "list of words";
	case CONF_STRINGS:
		return "list of strings";
	case CONF_MAP:
		return "keys and strings";
	case CONF_RANGES:
		return "list of {start: A, end: B} and {single: A}";
	case CONF_LIST:
		return "list";
	case CONF_FIXED:
	case CONF_LATER:
		break;
	}
	return "";
}

static void write_words(FILE *out, const struct conf_choices *choices)
{
	const char *comma = ": ";

	for (size_t i = 0; i < choices->n; i++) {
		if (choices->v[i].later || !choices->v[i].name[0])
			continue;
		fprintf(out, "%s%s", comma, choices->v[i].name);
		comma = ", ";
	}
}

static void write_key(
	FILE *out, const char *prefix, const struct conf_row *row, bool reloads)
{
	fprintf(out, ".TP\n.B %s%s\n", prefix, row->path);
	write_text(out, row->doc);
	fprintf(out, "\n.br\n%s", type_name(row->type));
	if (row->choices)
		write_words(out, row->choices);
	if (row->type != CONF_ENUM && row->type != CONF_WORDS && row->max > 0)
		fprintf(out, ", %" PRId64 " to %" PRId64 "%s%s", row->min,
			row->max, row->unit ? " " : "",
			row->unit ? row->unit : "");
	if (row->def)
		fprintf(out, "; default %s",
			*row->def ? row->def : "\\(dq\\(dq");
	fputs(reloads ? "; a reload changes it.\n" : ".\n", out);
}

/* `reloads`: they are of a list that a reload changes. */
static void write_rows(FILE *out, const char *prefix,
	const struct conf_table *t, bool supported, bool reloads)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct conf_row *row = &t->rows[i];

		if ((row->type < CONF_FIXED) != supported)
			continue;
		if (supported)
			write_key(out, prefix, row,
				reloads || row->flags & CONF_RELOAD);
		else
			fprintf(out, "%s%s\n.br\n", prefix, row->path);
	}
	for (size_t i = 0; i < t->n; i++) {
		char inner[80];

		if (t->rows[i].type != CONF_LIST)
			continue;
		snprintf(inner, sizeof(inner), "%s[].", t->rows[i].path);
		write_rows(out, inner, t->rows[i].items, supported,
			t->rows[i].flags & CONF_RELOAD);
	}
}

static const char format_text[] =
	".SH FORMAT\n"
	"YAML 1.1 or JSON, UTF\\-8, at most 1 MiB and 64 levels; no aliases,\n"
	"anchors, tags or merge keys. The names and meanings are frp's where\n"
	"frp has the key. A key without a value is as if it were not there.\n"
	"All errors of a file are reported, each as one line\n"
	".IR FILE : LINE : COLUMN :\n"
	".IR KEY :\n"
	"what was found; what is allowed.\n"
	".SS Templates\n"
	".nf\n"
	"{{ .Envs.NAME }}\n"
	"{{ if .Envs.NAME }} ... {{ else }} ... {{ end }}\n"
	"{{ range $v := parseNumberRange \\(dq6000\\-6006,6010\\(dq }} {{ $v "
	"}} {{ end }}\n"
	"{{ range $_, $v := parseNumberRangePair \\(dq1\\-3\\(dq "
	"\\(dq11\\-13\\(dq }}\n"
	"  {{ $v.First }} {{ $v.Second }} {{ end }}\n"
	".fi\n"
	"are expanded before the file is read; {{\\- and \\-}} take the white\n"
	"space before and behind along, {{/* ... */}} is a comment. A "
	"variable\n"
	"of the environment that is not set is an error.\n";

static const char reload_text[] =
	".SS Reload\n"
	"At SIGHUP the program reads the file again. Keys below that a reload\n"
	"changes take effect for what begins after it; no connection is\n"
	"touched. The others are named in the log, and need a restart. A file\n"
	"with errors changes nothing.\n";

void manual_keys(FILE *out, const struct manual *m, const struct conf_table *t)
{
	begin_page(out, m);
	fputs(format_text, out);
	fputs(reload_text, out);
	fputs(".SH KEYS\n", out);
	write_rows(out, "", t, true, false);
	fputs(".SH KEYS OF FRP NOT SUPPORTED YET\n"
	      "Accepted only with the value that asks for nothing.\n.PP\n",
		out);
	write_rows(out, "", t, false, false);
	if (m->more)
		fputs(m->more, out);
}
