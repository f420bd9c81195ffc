/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A command line by a table: one row an option. The parser and --help read
 * it. `--name value`, `--name=value`, `-n value`, `-nvalue` and `-n=value`
 * are the same; a flag takes no value; "--" ends the options. Options and
 * operands mix.
 */

#ifndef ADIT_CONF_COMMAND_H
#define ADIT_CONF_COMMAND_H

#include <stdio.h>

#include "common/conf/table.h"

enum command_type {
	/* `bool`: set to true; takes no value. */
	COMMAND_FLAG,
	/* `const char *`, into argv. */
	COMMAND_STRING,
	/* `int64_t` from `min` to `max`. */
	COMMAND_INT,
	/* `uint16_t` from `min` to `max`, 65535 when `max` is 0. */
	COMMAND_PORT,
	/* `struct command_words`: given again, it adds a string. */
	COMMAND_WORDS,
};

#define COMMAND_WORDS_MAX 32

/* Strings of argv, in their order. */
struct command_words {
	size_t n;
	const char *v[COMMAND_WORDS_MAX];
};

struct command_option {
	const char *name;     /* without the dashes */
	char letter;          /* or 0 */
	const char *argument; /* what --help calls the value; NULL: a flag */
	enum command_type type;
	size_t offset;
	int64_t min, max;
	const char *with; /* the commands it goes with, parted by ", ", by
			   * their words or as `which` names them; NULL: any */
	const char *key;  /* the keys of a file that say the same, or NULL */
	const char *doc;
};

#define COMMAND_C_FLAG bool
#define COMMAND_C_STRING const char *
#define COMMAND_C_INT int64_t
#define COMMAND_C_PORT uint16_t
#define COMMAND_C_WORDS struct command_words

/* As CONF_DEF: does not compile when the field has another type. */
#define COMMAND_DEF(t, strct, field)       \
	.type = COMMAND_##t,               \
	.offset = offsetof(strct, field) + \
		  CONF_SAME(CONF_TYPEOF(strct, field), COMMAND_C_##t)

/* A word that is no option: of the command's name, and for shells to complete;
 * the parser takes any. */
struct command_word {
	const char *name;
	const char *after; /* the words before it, parted by spaces */
	const char *doc;
};

/* A word of other programs, and what is said here in its place. */
struct command_foreign {
	const char *word, *advice;
};

struct command {
	const char *usage; /* lines of usage, each ended by a newline */
	const char *about; /* one paragraph, ended by a newline, or NULL */
	const struct command_option *options;
	size_t n;
	const struct command_word *words;
	size_t word_count;
	const struct command_foreign *foreign;
	size_t foreign_count;
	/* What the command line asks for, by its options and the words that are
	 * known, as many as there are ("": none); NULL: any option goes with
	 * it. Or NULL: with whatever it asks for. It is not asked where the
	 * first word is unknown. */
	const char *(*which)(const void *base, const char *name);
};

#define COMMAND_ERROR 256

/*
 * Read argv[1] to argv[argc - 1] into the struct at `base`; strings stay in
 * argv. What is no option goes to `operands`. 0, or -EINVAL with one line in
 * `error` that names the option, also of one that does not go with the
 * command, is given twice or is empty; the caller prints it and exits with 2.
 */
int command_parse(const struct command *c, int argc, char **argv, void *base,
	struct command_words *operands,
	char error[static COMMAND_ERROR]) must_check;

/*
 * No command is called so: -EINVAL as above, with what helps: -c if it is a
 * file, what stands for a foreign word, or the nearest.
 */
int command_unknown(const struct command *c, const char *word,
	char error[static COMMAND_ERROR]) must_check;

/* Whether nothing stands behind the first word: 0, or -EINVAL as above. */
int command_alone(const struct command_words *operands,
	char error[static COMMAND_ERROR]) must_check;

/* Write usage, the paragraph, and one line an option. */
void command_help(const struct command *c, FILE *out);

/*
 * Overwrite a string that lies in argv, so that ps shows it no longer; the
 * caller has copied it. *argument is "" afterwards. NULL in it is accepted.
 */
void command_wipe(const char **argument);

#endif
