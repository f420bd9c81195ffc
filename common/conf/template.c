/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over the text with a stack of open blocks: at its `end` a range
 * goes back to its begin with its next item, so nothing recurses, and a limit
 * on steps bounds what nested ranges can cost.
 */

#include "common/conf/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/numbers.h"
#include "common/conf/word.h"

#define BLOCKS_MAX 16
#define STEPS_MAX 1000000

enum block_kind {
	BLOCK_IF,
	BLOCK_RANGE
};

struct block {
	enum block_kind kind;
	bool active;             /* its text is written */
	bool outer;              /* the text around it is written */
	bool other;              /* `else` was met */
	struct conf_spot action; /* where it was opened */
	const char *body;        /* where the text of a range begins */
	struct conf_spot body_spot;
	struct conf_word index, value; /* the variables; n 0: none */
	struct conf_numbers first, second;
	bool pairs;
	size_t item;
};

struct reader {
	struct conf_expansion *out;
	const char *file;
	struct conf_errors *errors;
	const char *at, *end;
	struct conf_spot spot; /* of `at` */
	size_t limit, steps;
	struct block blocks[BLOCKS_MAX];
	size_t depth;
	struct conf_spot action;       /* the action being read */
	const char *rest, *action_end; /* what of it is still to read */
	int result;
};

/* --- places and output --- */

static void advance(struct reader *r, const char *to)
{
	conf_spot_advance(&r->spot, r->at, (size_t)(to - r->at));
	r->at = to;
}

/* Note an error at the action; reading stops. */
printf_like(2, 3) static void refuse(struct reader *r, const char *fmt, ...)
{
	struct conf_place at = { r->file, r->action.line, r->action.column };
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->result == 0)
		conf_errors_add(r->errors, &at, "template", "%s", text);
	r->result = -EINVAL;
}

/* Text that comes from that spot of the file. */
static void emit(struct reader *r, const char *text, size_t n,
	struct conf_spot from, bool literal)
{
	if (n == 0 || r->result != 0)
		return;
	if (n > r->limit - r->out->size)
		refuse(r, "more than 1 MiB when expanded; at most 1 MiB is "
			  "allowed");
	else
		r->result = conf_expansion_add(r->out, text, n, from, literal);
}

static bool is_active(const struct reader *r)
{
	return r->depth == 0 || r->blocks[r->depth - 1].active;
}

/* --- values --- */

static struct conf_word next(struct reader *r)
{
	struct conf_word w = conf_word_next(&r->rest, r->action_end);

	if (w.n == 0 && r->rest < r->action_end)
		refuse(r, "a text without its closing quote");
	return w;
}

/* Nothing may follow. */
static void finish(struct reader *r)
{
	if (r->result == 0 && next(r).n > 0)
		refuse(r, "more than one value in an action; one is allowed");
}

/* The variable behind .Envs.; NULL: it is not set. */
static const char *environment(struct conf_word w)
{
	char name[256];

	snprintf(name, sizeof(name), "%.*s", (int)w.n, w.at);
	return getenv(name);
}

/* The range whose variable or, for a word that begins with a dot, item it is.
 */
static const struct block *owner_of(
	const struct reader *r, struct conf_word name)
{
	for (size_t i = r->depth; i > 0; i--) {
		const struct block *b = &r->blocks[i - 1];

		if (b->kind != BLOCK_RANGE)
			continue;
		if (name.n == 0)
			return b;
		if ((b->value.n == name.n &&
			    !memcmp(b->value.at, name.at, name.n)) ||
			(b->index.n == name.n &&
				!memcmp(b->index.at, name.at, name.n)))
			return b;
	}
	return NULL;
}

/* "$v", "$v.First", ".", ".First" as a number; false: refused. */
static bool number_of(struct reader *r, struct conf_word w, int64_t *number_r)
{
	const char *dot = memchr(w.at, '.', w.n);
	struct conf_word name = { w.at, dot ? (size_t)(dot - w.at) : w.n };
	struct conf_word field = { dot ? dot + 1 : NULL,
		dot ? w.n - name.n - 1 : 0 };
	const struct block *b = owner_of(r, name);

	if (!b) {
		refuse(r, "a variable that no range around it declares");
		return false;
	}
	if (name.n > 0 && b->index.n == name.n &&
		!memcmp(b->index.at, name.at, name.n) && field.n == 0) {
		*number_r = (int64_t)b->item;
		return true;
	}
	if (field.n == 0 && !b->pairs)
		*number_r = b->first.v[b->item];
	else if (b->pairs && conf_word_is(field, "First"))
		*number_r = b->first.v[b->item];
	else if (b->pairs && conf_word_is(field, "Second"))
		*number_r = b->second.v[b->item];
	else {
		refuse(r,
			b->pairs
				? "a pair; its .First or .Second is allowed"
				: "a field of a number; the number is allowed");
		return false;
	}
	return true;
}

/*
 * The text of a value. NULL: refused, or a variable of the environment that
 * is not set, which only `if` may ask for.
 */
static const char *text_of(struct reader *r, struct conf_word w, char *out,
	size_t size, bool may_be_unset)
{
	const char *value;
	int64_t number;

	if (conf_word_begins(w, "$."))
		w = (struct conf_word){ w.at + 1, w.n - 1 };
	if (conf_word_begins(w, ".Envs.")) {
		value = environment((struct conf_word){ w.at + 6, w.n - 6 });
		if (!value && !may_be_unset)
			refuse(r, "%.*s; a variable that is set is allowed",
				(int)w.n - 6, w.at + 6);
		return value;
	}
	if (w.n > 0 && (*w.at == '"' || *w.at == '`')) {
		snprintf(out, size, "%.*s", (int)w.n - 2, w.at + 1);
		return out;
	}
	if (w.n > 0 && (*w.at == '$' || *w.at == '.')) {
		if (!number_of(r, w, &number))
			return NULL;
		snprintf(out, size, "%lld", (long long)number);
		return out;
	}
	refuse(r, "an action that is not supported (allowed: .Envs.NAME, a "
		  "variable, if, else, end, range over parseNumberRange or "
		  "parseNumberRangePair)");
	return NULL;
}

static void read_numbers(struct reader *r, struct conf_numbers *numbers)
{
	char out[1024];
	struct conf_word w = next(r);
	const char *text;
	int rc;

	if (w.n == 0) {
		refuse(r, "a range without its numbers; \"6000-6006,6010\" is "
			  "allowed");
		return;
	}
	text = text_of(r, w, out, sizeof(out), false);
	if (!text)
		return;
	rc = conf_numbers_read(numbers, text);
	if (rc == -ENOMEM)
		r->result = rc;
	else if (rc < 0)
		refuse(r, "a range that cannot be read; numbers as "
			  "\"6000-6006,6010\" are allowed, 65536 at most");
}

/* --- actions --- */

static struct block *open_block(struct reader *r, enum block_kind kind)
{
	struct block *b;

	if (r->depth == BLOCKS_MAX) {
		refuse(r, "more than 16 blocks in one another; 16 are allowed");
		return NULL;
	}
	b = &r->blocks[r->depth++];
	*b = (struct block){ .kind = kind,
		.outer = r->depth == 1 || r->blocks[r->depth - 2].active,
		.action = r->action };
	b->active = b->outer;
	return b;
}

static void close_block(struct reader *r)
{
	struct block *b = &r->blocks[--r->depth];

	conf_numbers_free(&b->first);
	conf_numbers_free(&b->second);
}

/* "$i, $v := " before the function of a range. */
static struct conf_word read_variables(struct reader *r, struct block *b)
{
	struct conf_word w = next(r);

	if (w.n < 2 || *w.at != '$' || memchr(w.at, '.', w.n))
		return w;
	b->value = w;
	w = next(r);
	if (conf_word_is(w, ",")) {
		b->index = b->value;
		b->value = next(r);
		w = next(r);
	}
	if (!conf_word_is(w, ":="))
		refuse(r, "a variable without \":=\"");
	return next(r);
}

static void on_range(struct reader *r)
{
	struct block *b = open_block(r, BLOCK_RANGE);
	struct conf_word function;

	if (!b || !b->outer)
		return;
	/* Its own variables are not there for its own numbers. */
	b->kind = BLOCK_IF;
	function = read_variables(r, b);
	b->pairs = conf_word_is(function, "parseNumberRangePair");
	if (!b->pairs && !conf_word_is(function, "parseNumberRange")) {
		refuse(r, "a range over something else; parseNumberRange and "
			  "parseNumberRangePair are allowed");
		return;
	}
	read_numbers(r, &b->first);
	if (b->pairs && r->result == 0)
		read_numbers(r, &b->second);
	finish(r);
	if (b->pairs && r->result == 0 && b->first.n != b->second.n)
		refuse(r, "ranges of different lengths; pairs are allowed");
	b->kind = BLOCK_RANGE;
	b->active = b->first.n > 0;
	b->body = r->at;
	b->body_spot = r->spot;
}

static void on_if(struct reader *r)
{
	struct block *b = open_block(r, BLOCK_IF);
	char out[1024];
	const char *text;

	if (!b || !b->outer)
		return;
	text = text_of(r, next(r), out, sizeof(out), true);
	finish(r);
	/* Go's truth: a number but 0, a text but the empty one. */
	b->active = text && *text && strcmp(text, "0") != 0;
}

static void on_else(struct reader *r)
{
	struct block *b = r->depth > 0 ? &r->blocks[r->depth - 1] : NULL;

	if (!b || b->other) {
		refuse(r, "an else without its if");
		return;
	}
	finish(r);
	b->other = true;
	if (b->kind == BLOCK_RANGE)
		b->active = b->outer && b->first.n == 0;
	else
		b->active = b->outer && !b->active;
}

static void on_end(struct reader *r)
{
	struct block *b = r->depth > 0 ? &r->blocks[r->depth - 1] : NULL;

	finish(r);
	if (!b) {
		refuse(r, "an end without its range or if");
		return;
	}
	if (b->kind == BLOCK_RANGE && b->outer && b->item + 1 < b->first.n) {
		b->item++;
		b->other = false;
		b->active = true;
		r->at = b->body;
		r->spot = b->body_spot;
		return;
	}
	close_block(r);
}

static void on_value(struct reader *r, struct conf_word w)
{
	char out[1024];
	const char *text;

	if (!is_active(r))
		return;
	text = text_of(r, w, out, sizeof(out), false);
	finish(r);
	if (text && r->result == 0)
		emit(r, text, strlen(text), r->action, false);
}

/* The action at `at`, whose text lies between rest and action_end. */
static void on_action(struct reader *r)
{
	struct conf_word w;

	if (++r->steps > STEPS_MAX) {
		refuse(r, "too much to expand; fewer ranges in one another "
			  "are allowed");
		return;
	}
	w = next(r);
	if (conf_word_is(w, "range"))
		on_range(r);
	else if (conf_word_is(w, "if"))
		on_if(r);
	else if (conf_word_is(w, "else"))
		on_else(r);
	else if (conf_word_is(w, "end"))
		on_end(r);
	else
		on_value(r, w);
}

/* Where the action ends: behind "}}", outside of its quotes; or NULL. */
static const char *find_end(const char *p, const char *end)
{
	char quote = 0;

	for (; end - p >= 2; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '`')
			quote = *p;
		else if (p[0] == '}' && p[1] == '}')
			return p + 2;
	}
	return NULL;
}

/* "{{- " and " -}}": the sign of a trim next to white space. */
static bool trims(const char *sign, const char *space)
{
	return *sign == '-' && isspace((unsigned char)*space);
}

static void read_action(struct reader *r)
{
	const char *begin = r->at + 2, *stop;
	bool left = r->end - begin >= 2 && trims(begin, begin + 1), right;
	const char *text = left ? begin + 2 : begin;
	bool comment = r->end - text >= 2 && !memcmp(text, "/*", 2);
	const char *close =
		comment ? memmem(text, (size_t)(r->end - text), "*/", 2) : NULL;

	r->action = r->spot;
	stop = comment ? (close ? find_end(close + 2, r->end) : NULL)
		       : find_end(text, r->end);
	if (!stop) {
		refuse(r, "an action without its \"}}\"");
		return;
	}
	r->rest = text;
	r->action_end = stop - 2;
	right = r->action_end - text >= 2 &&
		trims(r->action_end - 1, r->action_end - 2);
	if (right)
		r->action_end -= 2;
	advance(r, stop);
	if (right)
		while (r->at < r->end && isspace((unsigned char)*r->at))
			advance(r, r->at + 1);
	if (!comment)
		on_action(r);
}

/* The text up to the next action, without what that action trims. */
static void read_text(struct reader *r)
{
	const char *stop = memmem(r->at, (size_t)(r->end - r->at), "{{", 2);
	const char *to = stop ? stop : r->end;

	if (stop && r->end - stop >= 4 && trims(stop + 2, stop + 3))
		while (to > r->at && isspace((unsigned char)to[-1]))
			to--;
	if (is_active(r))
		emit(r, r->at, (size_t)(to - r->at), r->spot, true);
	advance(r, stop ? stop : r->end);
}

bool conf_template_in(const char *bytes, size_t size)
{
	return memmem(bytes, size, "{{", 2);
}

int conf_template_expand(struct conf_expansion *e, const char *bytes,
	size_t size, size_t limit, const char *file, struct conf_errors *errors)
{
	struct reader *r = calloc(1, sizeof(*r));
	int result;

	if (!r)
		return -ENOMEM;
	*r = (struct reader){ .out = e,
		.file = file,
		.errors = errors,
		.at = bytes,
		.end = bytes + size,
		.spot = { 1, 1 },
		.limit = limit };
	while (r->at < r->end && r->result == 0) {
		r->action = r->spot;
		read_text(r);
		if (r->at < r->end && r->result == 0)
			read_action(r);
	}
	if (r->result == 0 && r->depth > 0) {
		r->action = r->blocks[r->depth - 1].action;
		refuse(r, "a range or if without its end");
	}
	while (r->depth > 0)
		close_block(r);
	result = r->result;
	free(r);
	return result;
}
