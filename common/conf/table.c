/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking up rows by path. Tables have tens of rows: a scan is enough.
 */

#include "common/conf/table.h"

#include <string.h>

#include "common/conf/nearest.h"

const struct conf_row *conf_table_row(
	const struct conf_table *t, const char *path, size_t length)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (strncmp(t->rows[i].path, path, length) == 0 &&
			t->rows[i].path[length] == '\0')
			return &t->rows[i];
	}
	return NULL;
}

bool conf_table_above(
	const struct conf_table *t, const char *path, size_t length)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (strncmp(t->rows[i].path, path, length) == 0 &&
			t->rows[i].path[length] == '.')
			return true;
	}
	return false;
}

const struct conf_row *conf_table_later(
	const struct conf_table *t, const char *path, size_t length)
{
	const struct conf_row *row;

	while (length > 0) {
		row = conf_table_row(t, path, length);
		if (row && row->type == CONF_LATER)
			return row;
		do
			length--;
		while (length > 0 && path[length] != '.');
	}
	return NULL;
}

bool conf_table_knows(const struct conf_table *t, const char *path)
{
	size_t length = strlen(path);
	const struct conf_row *row = conf_table_row(t, path, length);

	if (row || conf_table_above(t, path, length))
		return !row || row->type != CONF_LATER;
	while (length > 0) {
		row = conf_table_row(t, path, length);
		if (row && row->type == CONF_MAP)
			return true;
		do
			length--;
		while (length > 0 && path[length] != '.');
	}
	return false;
}

const char *conf_table_nearest(const struct conf_table *t, const char *path)
{
	struct conf_nearest nearest = { 0 };
	const char *dot;
	size_t i;

	for (i = 0; i < t->n; i++)
		conf_nearest_offer(&nearest, path, t->rows[i].path);
	/* A key of the right name in the wrong place. */
	for (i = 0; i < t->n && !nearest.word; i++) {
		dot = strrchr(t->rows[i].path, '.');
		if (dot && strcasecmp(dot + 1, path) == 0)
			nearest.word = t->rows[i].path;
	}
	return nearest.word;
}
