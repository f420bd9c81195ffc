/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of a program's configuration: one row declares a key once. The
 * parser, the defaults, the dump, the sample file and the manual read it.
 *
 *	#define DEF(type, field) CONF_DEF(type, struct settings, field)
 *
 *	{ .path = "bindPort", DEF(PORT, bind_port), .def = "7000",
 *	  .min = 1, .doc = "Port of the control listener." },
 *
 * CONF_DEF does not compile when the field's C type is not the one of the
 * declared type. Defaults are written as in the file, so that reading the
 * table is reading the manual.
 */

#ifndef ADIT_CONF_TABLE_H
#define ADIT_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* All strings are NUL-terminated, never NULL, and the configuration's. */
struct conf_strings {
	size_t n;
	const char **v;
};

struct conf_pair {
	const char *key, *value;
};

/* In the order of the file; keys are unique. */
struct conf_map {
	size_t n;
	struct conf_pair *v;
};

/* Both ends belong to the range; start <= end. */
struct conf_range {
	uint16_t start, end;
};

struct conf_ranges {
	size_t n;
	struct conf_range *v;
};

enum conf_type {
	/* `bool`: true or false. */
	CONF_BOOL,
	/* `int64_t`, decimal; the words of `choices`, if any, are allowed too.
	 */
	CONF_INT,
	/* `uint16_t`, decimal; up to 65535 when `max` is 0. */
	CONF_PORT,
	/* `int64_t` in seconds, as in the file; every negative value is -1. */
	CONF_SECONDS,
	/* `int64_t` in milliseconds, seconds in the file; negative is -1. */
	CONF_MS,
	/* `const char *`. */
	CONF_STRING,
	/* `const char *` that is never shown. */
	CONF_SECRET,
	/* `int`: one of `choices`. */
	CONF_ENUM,
	/* `int`: a list of words of `choices`, their values or-ed. */
	CONF_WORDS,
	/* `struct conf_strings`: a list of strings; its default: "a, b". */
	CONF_STRINGS,
	/* `struct conf_map`: keys and strings. */
	CONF_MAP,
	/* `struct conf_ranges`: a list of {start, end} and {single}. */
	CONF_RANGES,
	/* A struct of `size_t n` and a pointer `v` to structs of `items`. */
	CONF_LIST,
	/* No field: known, accepted only when it equals one of `allowed`. */
	CONF_FIXED,
	/*
	 * No field: known, accepted only when empty, or of keys that are all
	 * off: "", 0 or false. So are the keys below it that have no row.
	 */
	CONF_LATER,
};

/* One word of a CONF_ENUM, CONF_WORDS or CONF_INT. */
struct conf_choice {
	const char *name;
	int value;
	bool later; /* a word of frp's, or of ours to come: refused so far */
};

struct conf_choices {
	size_t n;
	const struct conf_choice *v;
};

#define CONF_CHOICES(...)                                                  \
	{                                                                  \
		ARRAY_SIZE(((const struct conf_choice[]){ __VA_ARGS__ })), \
			(const struct conf_choice[])                       \
		{                                                          \
			__VA_ARGS__                                        \
		}                                                          \
	}

enum conf_flag {
	/* A change takes effect at a reload. */
	CONF_RELOAD = 1,
	/* As in frp, 0 or "" in the file asks for the default. */
	CONF_EMPTY_DEFAULT = 2,
};

struct conf_table;

struct conf_row {
	const char *path; /* dotted, from the table's root */
	enum conf_type type;
	size_t offset;
	const char *def;  /* as written in the file; NULL: zero, "", empty */
	int64_t min, max; /* both 0: the type's own; in the unit of the file */
	const char *unit;
	const struct conf_choices *choices;
	const struct conf_table *items; /* CONF_LIST: a table for each */
	const char *allowed;            /* CONF_FIXED: words parted by '|' */
	unsigned flags;                 /* enum conf_flag */
	const char *doc;                /* one sentence */
	const char *example;            /* lines for the sample file, or NULL */
};

struct conf_table {
	const struct conf_row *rows;
	size_t n;
	size_t size; /* of the struct that the offsets are of */
};

#define CONF_TABLE(name, strct, rows_)   \
	const struct conf_table name = { \
		.rows = (rows_),         \
		.n = ARRAY_SIZE(rows_),  \
		.size = sizeof(strct),   \
	}

/* The C type of a field of each declared type. */
#define CONF_C_BOOL bool
#define CONF_C_INT int64_t
#define CONF_C_PORT uint16_t
#define CONF_C_SECONDS int64_t
#define CONF_C_MS int64_t
#define CONF_C_STRING const char *
#define CONF_C_SECRET const char *
#define CONF_C_ENUM int
#define CONF_C_WORDS int
#define CONF_C_STRINGS struct conf_strings
#define CONF_C_MAP struct conf_map
#define CONF_C_RANGES struct conf_ranges

/* 0, or an array of negative size when the two types differ. */
#define CONF_SAME(a, b) \
	(0 * sizeof(char[__builtin_types_compatible_p(a, b) ? 1 : -1]))

#define CONF_TYPEOF(strct, field) __typeof__(((strct *)0)->field)

#define CONF_DEF(t, strct, field)          \
	.type = CONF_##t,                  \
	.offset = offsetof(strct, field) + \
		  CONF_SAME(CONF_TYPEOF(strct, field), CONF_C_##t)

/* A list of structs `item`, each read by the table `items_`. */
#define CONF_DEF_LIST(strct, field, item, items_)                           \
	.type = CONF_LIST, .items = &(items_),                              \
	.offset = offsetof(strct, field) +                                  \
		  CONF_SAME(CONF_TYPEOF(strct, field.n), size_t) +          \
		  CONF_SAME(CONF_TYPEOF(strct, field.v), item *) +          \
		  0 * sizeof(char[offsetof(CONF_TYPEOF(strct, field), v) == \
						  sizeof(size_t)            \
					  ? 1                               \
					  : -1])

#define CONF_DEF_FIXED(allowed_) .type = CONF_FIXED, .allowed = (allowed_)
#define CONF_DEF_LATER .type = CONF_LATER

/* The row of exactly this path of `length` bytes; NULL if there is none. */
const struct conf_row *conf_table_row(
	const struct conf_table *t, const char *path, size_t length);

/* Whether some row lies below this path ("transport" of "transport.tls"). */
bool conf_table_above(
	const struct conf_table *t, const char *path, size_t length);

/* The CONF_LATER row at or above this path; NULL if there is none. */
const struct conf_row *conf_table_later(
	const struct conf_table *t, const char *path, size_t length);

/*
 * Whether a value may be at this path or below it: a row that is built, what
 * lies above one, or an entry of a map.
 */
bool conf_table_knows(const struct conf_table *t, const char *path);

/* The known key nearest to the misspelt path, or NULL. */
const char *conf_table_nearest(const struct conf_table *t, const char *path);

#endif
