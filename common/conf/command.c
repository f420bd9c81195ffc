/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The command line, option by option, from left to right.
 */

#include "common/conf/command.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/error.h"
#include "common/conf/join.h"
#include "common/conf/nearest.h"
#include "common/conf/number.h"

#define NAME_COLUMNS 28

/* Room for the known words of a command. */
#define NAME_SIZE 64

struct line {
	const struct command *command;
	int argc;
	char **argv;
	int next; /* the argument to look at */
	void *base;
	uint64_t given; /* the rows of the table, one bit each */
	char *error;
};

/* The nearest is what it is the beginning of, or what looks like it. */
static void offer(
	struct conf_nearest *nearest, const char *found, const char *known)
{
	size_t n = strlen(found);

	if (n > 1 && !strncmp(found, known, n))
		conf_nearest_offer(nearest, known, known);
	else
		conf_nearest_offer(nearest, found, known);
}

static void refuse_unknown(struct line *l, const char *argument, size_t length)
{
	struct conf_nearest nearest = { 0 };
	char quoted[CONF_QUOTED];
	char name[CONF_QUOTED / 4];
	size_t i;

	/* Without a value behind "=", which may be secret. */
	snprintf(name, sizeof(name), "%.*s", (int)length, argument);
	for (i = 0; i < l->command->n; i++)
		offer(&nearest, name + strspn(name, "-"),
			l->command->options[i].name);
	snprintf(l->error, COMMAND_ERROR, "unknown option %.120s%s%s",
		conf_quote(quoted, name),
		nearest.word ? "; the nearest is --" : "",
		nearest.word ? nearest.word : "");
}

static const struct command_option *find_long(
	const struct command *c, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (strlen(c->options[i].name) == length &&
			memcmp(c->options[i].name, name, length) == 0)
			return &c->options[i];
	}
	return NULL;
}

static const struct command_option *find_short(
	const struct command *c, char letter)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (letter && c->options[i].letter == letter)
			return &c->options[i];
	}
	return NULL;
}

static int store_number(struct line *l, const struct command_option *o,
	const char *value, void *field)
{
	int64_t max =
		o->type == COMMAND_PORT && o->max == 0 ? UINT16_MAX : o->max;
	char quoted[CONF_QUOTED];
	int64_t number;

	if (!conf_number_read(value, &number) || number < o->min ||
		number > max) {
		snprintf(l->error, COMMAND_ERROR,
			"--%s: %.120s; a number from %lld to %lld is allowed",
			o->name, conf_quote(quoted, value), (long long)o->min,
			(long long)max);
		return -EINVAL;
	}
	if (o->type == COMMAND_PORT)
		*(uint16_t *)field = (uint16_t)number;
	else
		*(int64_t *)field = number;
	return 0;
}

static int store(
	struct line *l, const struct command_option *o, const char *value)
{
	void *field = (char *)l->base + o->offset;
	struct command_words *words = field;

	switch (o->type) {
	case COMMAND_FLAG:
		*(bool *)field = true;
		return 0;
	case COMMAND_STRING:
		*(const char **)field = value;
		return 0;
	case COMMAND_INT:
	case COMMAND_PORT:
		return store_number(l, o, value, field);
	case COMMAND_WORDS:
		if (words->n == COMMAND_WORDS_MAX) {
			snprintf(l->error, COMMAND_ERROR,
				"--%s: given more than %d times", o->name,
				COMMAND_WORDS_MAX);
			return -EINVAL;
		}
		words->v[words->n++] = value;
		return 0;
	}
	never_reached();
}

/*
 * Of two values one would be passed over; an empty one is mostly a variable of
 * the shell that is not set.
 */
static int check_value(
	struct line *l, const struct command_option *o, const char *value)
{
	uint64_t bit = UINT64_C(1) << (o - l->command->options);
	const char *fault = NULL;

	if (value && !*value)
		fault = "an empty value";
	else if (value && o->type != COMMAND_WORDS && l->given & bit)
		fault = "given twice";
	if (!fault)
		return 0;
	snprintf(l->error, COMMAND_ERROR, "--%s: %s; one %s is allowed",
		o->name, fault, o->argument);
	return -EINVAL;
}

/* An option with the value that its own argument holds, or NULL. */
static int take(
	struct line *l, const struct command_option *o, const char *value)
{
	bool flag = o->type == COMMAND_FLAG;

	if (flag && value) {
		snprintf(l->error, COMMAND_ERROR, "--%s: takes no value",
			o->name);
		return -EINVAL;
	}
	if (!flag && !value && l->next < l->argc)
		value = l->argv[l->next++];
	if (!flag && !value) {
		snprintf(l->error, COMMAND_ERROR,
			"--%s: no value; %s is allowed", o->name, o->argument);
		return -EINVAL;
	}
	if (check_value(l, o, value) < 0)
		return -EINVAL;
	l->given |= UINT64_C(1) << (o - l->command->options);
	return store(l, o, value);
}

static int take_long(struct line *l, const char *argument)
{
	size_t length = strcspn(argument, "=");
	const struct command_option *o =
		find_long(l->command, argument + 2, length - 2);

	if (!o) {
		refuse_unknown(l, argument, length);
		return -EINVAL;
	}
	return take(l, o, argument[length] ? argument + length + 1 : NULL);
}

static int take_short(struct line *l, const char *argument)
{
	const struct command_option *o = find_short(l->command, argument[1]);

	if (!o || (o->type == COMMAND_FLAG && argument[2])) {
		refuse_unknown(l, argument, strcspn(argument, "="));
		return -EINVAL;
	}
	argument += argument[2] == '=' ? 3 : 2;
	return take(l, o, argument[0] ? argument : NULL);
}

static const char *quote_word(char out[static CONF_QUOTED], const char *word)
{
	const char *shown = join_hide(word);

	return shown == word ? conf_quote(out, word) : shown;
}

static int take_operand(
	struct line *l, const char *argument, struct command_words *operands)
{
	char quoted[CONF_QUOTED];

	if (operands->n == COMMAND_WORDS_MAX) {
		snprintf(l->error, COMMAND_ERROR, "too many words at %.120s",
			quote_word(quoted, argument));
		return -EINVAL;
	}
	operands->v[operands->n++] = argument;
	return 0;
}

static bool goes_with(const struct command_option *o, const char *name)
{
	size_t n = strlen(name);
	const char *p = o->with;

	while (p) {
		if (!strncmp(p, name, n) && (p[n] == '\0' || p[n] == ','))
			return true;
		p = strstr(p, ", ");
		p = p ? p + 2 : NULL;
	}
	return false;
}

static bool knows_word(
	const struct command *c, const char *after, const char *word)
{
	for (size_t i = 0; i < c->word_count; i++)
		if (!strcmp(c->words[i].after, after) &&
			!strcmp(c->words[i].name, word))
			return true;
	return false;
}

/* The known words that it begins with; false: not even the first is one. */
static bool read_name(const struct command *c,
	const struct command_words *operands, char name[static NAME_SIZE])
{
	size_t i, n = 0;

	name[0] = '\0';
	for (i = 0; i < operands->n; i++) {
		if (!knows_word(c, name, operands->v[i]))
			break;
		n += (size_t)snprintf(name + n, NAME_SIZE - n, "%s%s",
			i > 0 ? " " : "", operands->v[i]);
		assert(n < NAME_SIZE);
	}
	return i > 0 || operands->n == 0;
}

/* Nothing that was said is to be passed over silently. */
static int check_fit(struct line *l, const struct command_words *operands)
{
	const struct command *c = l->command;
	char words[NAME_SIZE];
	const char *name = c->which && read_name(c, operands, words)
				   ? c->which(l->base, words)
				   : NULL;
	bool file = name && strstr(name, "-c");

	for (size_t i = 0; i < c->n && name; i++) {
		const struct command_option *o = &c->options[i];

		if (!(l->given >> i & 1) || !o->with || goes_with(o, name))
			continue;
		snprintf(l->error, COMMAND_ERROR,
			"--%s does not go with %s%s%.128s", o->name, name,
			file && o->key ? ": the file says it by " : "",
			file && o->key ? o->key : "");
		return -EINVAL;
	}
	return 0;
}

int command_parse(const struct command *c, int argc, char **argv, void *base,
	struct command_words *operands, char error[static COMMAND_ERROR])
{
	struct line l = { .command = c,
		.argc = argc,
		.argv = argv,
		.next = 1,
		.base = base,
		.error = error };
	bool ended = false;
	const char *argument;
	int result = 0;

	assert(c->n <= 64);
	error[0] = '\0';
	operands->n = 0;
	while (l.next < argc && result == 0) {
		argument = argv[l.next++];
		if (ended || argument[0] != '-' || argument[1] == '\0')
			result = take_operand(&l, argument, operands);
		else if (strcmp(argument, "--") == 0)
			ended = true;
		else if (argument[1] == '-')
			result = take_long(&l, argument);
		else
			result = take_short(&l, argument);
	}
	return result == 0 ? check_fit(&l, operands) : result;
}

int command_unknown(const struct command *c, const char *word,
	char error[static COMMAND_ERROR])
{
	struct conf_nearest nearest = { 0 };
	const char *advice = NULL, *lead = ": ";
	char quoted[CONF_QUOTED];

	for (size_t i = 0; i < c->foreign_count; i++)
		if (!strcmp(word, c->foreign[i].word))
			advice = c->foreign[i].advice;
	if (access(word, R_OK) == 0) {
		lead = "; ";
		advice = "a file goes with -c";
	}
	if (!advice) {
		for (size_t i = 0; i < c->word_count; i++)
			if (!*c->words[i].after)
				offer(&nearest, word, c->words[i].name);
		lead = nearest.word ? "; the nearest is " : "";
		advice = nearest.word ? nearest.word : "";
	}
	snprintf(error, COMMAND_ERROR, "unknown command %.120s%s%s",
		quote_word(quoted, word), lead, advice);
	return -EINVAL;
}

int command_alone(
	const struct command_words *operands, char error[static COMMAND_ERROR])
{
	char quoted[CONF_QUOTED];

	if (operands->n < 2)
		return 0;
	snprintf(error, COMMAND_ERROR,
		"%.64s takes no word: %.120s is too much", operands->v[0],
		quote_word(quoted, operands->v[1]));
	return -EINVAL;
}

void command_help(const struct command *c, FILE *out)
{
	const struct command_option *o;
	int used;
	size_t i;

	fprintf(out, "%s\n", c->usage);
	if (c->about)
		fprintf(out, "%s\n", c->about);
	for (i = 0; i < c->n; i++) {
		o = &c->options[i];
		used = o->letter ? fprintf(out, "  -%c, ", o->letter)
				 : fprintf(out, "      ");
		used += fprintf(out, "--%s", o->name);
		if (o->argument)
			used += fprintf(out, " %s", o->argument);
		if (used > NAME_COLUMNS - 2) {
			fputc('\n', out);
			used = 0;
		}
		fprintf(out, "%*s%s\n", NAME_COLUMNS - used, "", o->doc);
	}
}

void command_wipe(const char **argument)
{
	char *text = (char *)(uintptr_t)*argument;

	if (text)
		explicit_bzero(text, strlen(text));
	*argument = "";
}
