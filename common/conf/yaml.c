/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml's events, one loop, a stack of at most CONF_DEPTH_MAX open
 * collections. Reading stops at the first event that cannot be placed; what
 * can be placed but is not allowed is noted, and reading goes on.
 */

#include "common/conf/yaml.h"

#include <yaml.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/file.h"
#include "common/conf/template.h"

/* An open collection. */
struct level {
	size_t node;
	bool has_key; /* a mapping whose next value has this key */
	const char *key;
	size_t key_line, key_column;
};

struct reader {
	struct conf_tree *tree;
	struct conf_arena *arena;
	const char *file;
	struct conf_errors *errors;
	const struct conf_expansion *expansion; /* NULL: no templates */
	struct level levels[CONF_DEPTH_MAX];
	size_t depth;
	size_t documents;
	int result; /* 0 while reading goes on */
};

/* Where in the file it is, from 1, also if a template made it. */
static void place_of(const struct reader *r, const yaml_mark_t *mark,
	size_t *line_r, size_t *column_r)
{
	struct conf_spot spot = { mark->line + 1, mark->column + 1 };

	if (r->expansion)
		spot = conf_expansion_origin(r->expansion, spot);
	*line_r = spot.line;
	*column_r = spot.column;
}

/* Note an error at a mark; its key is the innermost one that is known. */
static void complain(
	struct reader *r, const yaml_mark_t *mark, const char *text)
{
	struct conf_place at = { .file = r->file };
	const char *key = "file";
	size_t i;

	place_of(r, mark, &at.line, &at.column);
	for (i = 0; i < r->depth; i++) {
		if (r->levels[i].has_key)
			key = r->levels[i].key;
	}
	conf_errors_add(r->errors, &at, key, "%s", text);
}

static void stop(struct reader *r, const yaml_mark_t *mark, const char *text)
{
	complain(r, mark, text);
	r->result = -EINVAL;
}

static bool key_is_next(const struct reader *r)
{
	const struct level *top;

	if (r->depth == 0)
		return false;
	top = &r->levels[r->depth - 1];
	return r->tree->v[top->node].kind == CONF_MAPPING && !top->has_key;
}

/* A new value in the innermost open collection, or the root; or NULL. */
static struct conf_node *place(
	struct reader *r, enum conf_kind kind, const yaml_event_t *event)
{
	struct level *top = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
	long i = conf_tree_add(r->tree, top ? top->node : 0);
	struct conf_node *n;

	if (i < 0) {
		r->result = (int)i;
		return NULL;
	}
	n = &r->tree->v[i];
	n->kind = kind;
	place_of(r, &event->start_mark, &n->line, &n->column);
	n->key_line = n->line;
	n->key_column = n->column;
	if (top && top->has_key) {
		n->key = top->key;
		n->key_line = top->key_line;
		n->key_column = top->key_column;
	}
	return n;
}

/* The value that the key was waiting for is complete. */
static void placed(struct reader *r)
{
	if (r->depth > 0)
		r->levels[r->depth - 1].has_key = false;
}

static void on_key(
	struct reader *r, const yaml_event_t *event, const char *text)
{
	struct level *top = &r->levels[r->depth - 1];

	if (event->data.scalar.plain_implicit && strcmp(text, "<<") == 0)
		complain(r, &event->start_mark,
			"a merge key; plain keys are allowed");
	top->key = text;
	place_of(r, &event->start_mark, &top->key_line, &top->key_column);
	top->has_key = true;
}

static void on_scalar(struct reader *r, yaml_event_t *event)
{
	char *bytes = (char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct conf_node *n;
	char *text;

	if (event->data.scalar.anchor)
		complain(r, &event->start_mark,
			"an anchor; values without anchors are allowed");
	if (event->data.scalar.tag)
		complain(r, &event->start_mark,
			"a tag; values without tags are allowed");
	if (memchr(bytes, '\0', length))
		complain(r, &event->start_mark,
			"a NUL character; text without it is allowed");
	text = conf_arena_text(r->arena, bytes, length);
	explicit_bzero(bytes, length);
	if (!text) {
		r->result = -ENOMEM;
		return;
	}
	if (key_is_next(r)) {
		on_key(r, event, text);
		return;
	}
	n = place(r, CONF_SCALAR, event);
	if (!n)
		return;
	n->text = text;
	n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (r->depth == 0 && conf_node_null(n))
		n->kind = CONF_MAPPING;
	else if (r->depth == 0)
		stop(r, &event->start_mark, "a single value; keys are allowed");
	placed(r);
}

static void on_open(struct reader *r, const yaml_event_t *event,
	enum conf_kind kind, bool marked)
{
	const yaml_mark_t *mark = &event->start_mark;

	if (key_is_next(r)) {
		stop(r, mark, "a collection as a key; plain keys are allowed");
		return;
	}
	if (marked)
		complain(r, mark,
			"an anchor or tag; values without them are allowed");
	if (r->depth == 0 && kind != CONF_MAPPING) {
		stop(r, mark, "a list; keys are allowed");
		return;
	}
	if (r->depth == CONF_DEPTH_MAX) {
		stop(r, mark, "more than 64 levels; 64 are allowed");
		return;
	}
	if (!place(r, kind, event))
		return;
	r->levels[r->depth++] = (struct level){ .node = r->tree->n - 1 };
}

static void on_close(struct reader *r)
{
	r->depth--;
	conf_tree_close(r->tree, r->levels[r->depth].node);
	placed(r);
}

static void on_event(struct reader *r, yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++r->documents > 1)
			stop(r, &event->start_mark,
				"a second document; one is allowed");
		break;
	case YAML_ALIAS_EVENT:
		stop(r, &event->start_mark,
			"an alias; values without aliases are allowed");
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(r, event, CONF_SEQUENCE,
			event->data.sequence_start.anchor ||
				event->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(r, event, CONF_MAPPING,
			event->data.mapping_start.anchor ||
				event->data.mapping_start.tag);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_close(r);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

/* The line and column of a byte, for errors that libyaml gives no mark. */
static yaml_mark_t mark_of(const char *bytes, size_t size, size_t offset)
{
	yaml_mark_t mark = { 0 };
	size_t i;

	for (i = 0; i < offset && i < size; i++) {
		mark.column++;
		if (bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

/* libyaml's texts are constants and hold nothing of the file. */
static void syntax_error(struct reader *r, const yaml_parser_t *parser,
	const char *bytes, size_t size)
{
	yaml_mark_t mark = parser->problem_mark;
	char text[256];

	if (parser->error == YAML_MEMORY_ERROR) {
		r->result = -ENOMEM;
		return;
	}
	if (parser->error == YAML_READER_ERROR) {
		mark = mark_of(bytes, size, parser->problem_offset);
		snprintf(text, sizeof(text),
			"%s; UTF-8 text without control characters is allowed",
			parser->problem);
	} else {
		snprintf(text, sizeof(text),
			"%s%s%s; well-formed YAML is allowed", parser->problem,
			parser->context ? " " : "",
			parser->context ? parser->context : "");
	}
	stop(r, &mark, text);
}

/* What of the file is still in libyaml's own buffers. */
static void wipe_parser(yaml_parser_t *parser)
{
	explicit_bzero(parser->buffer.start,
		(size_t)(parser->buffer.end - parser->buffer.start));
	explicit_bzero(parser->raw_buffer.start,
		(size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	yaml_parser_delete(parser);
}

static void read_events(struct reader *r, const char *bytes, size_t size)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool done = false;

	if (!yaml_parser_initialize(&parser)) {
		r->result = -ENOMEM;
		return;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&parser, (const unsigned char *)bytes, size);
	while (!done && r->result == 0) {
		if (!yaml_parser_parse(&parser, &event)) {
			syntax_error(r, &parser, bytes, size);
			break;
		}
		done = event.type == YAML_STREAM_END_EVENT;
		on_event(r, &event);
		yaml_event_delete(&event);
	}
	wipe_parser(&parser);
}

/* The offset of the first byte that is no white space and no comment. */
static size_t first_significant(const char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (bytes[i] == '#' || bytes[i] == ';') {
			while (i < size && bytes[i] != '\n')
				i++;
		} else if (!isspace((unsigned char)bytes[i])) {
			break;
		}
	}
	return i < size ? i : size;
}

/* All of it at once: the line that gives it away is the first one only. */
#define TOML                                                              \
	"a TOML or INI file; YAML or JSON is allowed: rewrite "           \
	"\"key = value\" as \"key: value\", \"auth.token = ...\" and "    \
	"[auth] as one \"auth:\" with \"token: ...\" and its other keys " \
	"indented below, and every [[proxies]] as an item \"- name: "     \
	"...\" below one \"proxies:\""

/*
 * Which other format the first significant line gives away: "[section]" or
 * "key = value". The root of YAML and JSON is a mapping here, so neither can
 * be the start of a good file. NULL if none.
 */
static const char *foreign_format(const char *line, size_t size)
{
	size_t i = 0;

	if (size >= 8 && memcmp(line, "[common]", 8) == 0)
		return "an INI file; YAML or JSON is allowed: rewrite "
		       "\"key = value\" as \"key: value\" with frp's present "
		       "names";
	if (size >= 2 && line[0] == '[' &&
		(isalpha((unsigned char)line[1]) || line[1] == '['))
		return TOML;
	while (i < size &&
		(isalnum((unsigned char)line[i]) || strchr("_-.\"'", line[i])))
		i++;
	if (i == 0)
		return NULL;
	while (i < size && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i < size && line[i] == '=')
		return TOML;
	return NULL;
}

/* Bytes of the mark that editors put before UTF-8 text; no part of it. */
static size_t mark_size(const char *bytes, size_t size)
{
	return size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Expand the templates, then read what they made. */
static void read_expanded(struct reader *r, const char *bytes, size_t size)
{
	struct conf_expansion e = { 0 };

	r->result = conf_template_expand(
		&e, bytes, size, CONF_FILE_MAX, r->file, r->errors);
	r->expansion = &e;
	if (r->result == 0)
		read_events(r, e.bytes ? e.bytes : "", e.size);
	r->expansion = NULL;
	conf_expansion_free(&e);
}

int conf_yaml_parse(struct conf_tree *tree, struct conf_arena *arena,
	const char *file, const char *bytes, size_t size,
	struct conf_errors *errors)
{
	struct reader r = {
		.tree = tree, .arena = arena, .file = file, .errors = errors
	};
	size_t skip = mark_size(bytes, size), start;
	const char *foreign;
	yaml_mark_t mark;

	bytes += skip;
	size -= skip;
	start = first_significant(bytes, size);
	foreign = foreign_format(bytes + start, size - start);
	mark = mark_of(bytes, size, start);
	if (foreign)
		stop(&r, &mark, foreign);
	else if (conf_template_in(bytes, size))
		read_expanded(&r, bytes, size);
	else
		read_events(&r, bytes, size);
	if (r.result == 0 && tree->n == 0) {
		if (conf_tree_add(tree, 0) < 0)
			return -ENOMEM;
		tree->v[0].kind = CONF_MAPPING;
		tree->v[0].line = tree->v[0].column = 1;
	}
	if (r.result == 0)
		r.result = conf_tree_check_keys(tree, file, errors);
	return r.result;
}

int conf_yaml_read(struct conf_tree *tree, struct conf_arena *arena,
	const char *file, struct conf_errors *errors)
{
	struct conf_place at = { file, 1, 1 };
	char *bytes = malloc(CONF_FILE_MAX + 1);
	ssize_t size;
	int result;

	if (!bytes)
		return -ENOMEM;
	size = conf_file_read(file, bytes, CONF_FILE_MAX + 1);
	if (size < 0) {
		result = (int)size;
		conf_errors_add(errors, &at, "file",
			"%s; a file that can be read is allowed",
			strerror(-result));
	} else if (size > CONF_FILE_MAX) {
		result = -EINVAL;
		conf_errors_add(errors, &at, "file",
			"more than 1 MiB; at most 1 MiB is allowed");
	} else {
		result = conf_yaml_parse(
			tree, arena, file, bytes, (size_t)size, errors);
	}
	explicit_bzero(bytes, size > 0 ? (size_t)size : 0);
	free(bytes);
	return result;
}
