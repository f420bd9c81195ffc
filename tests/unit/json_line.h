/* SPDX-License-Identifier: Apache-2.0 */

/* Whether a line of the log is JSON: an object of strings, and a line feed. */

#ifndef ADIT_TESTS_JSON_LINE_H
#define ADIT_TESTS_JSON_LINE_H

#include <stdbool.h>
#include <string.h>

/* Behind the escape there, or NULL if it is none. */
static inline const char *json_after_escape(const char *at)
{
	if (at[1] == 'u')
		return strspn(at + 2, "0123456789abcdef") >= 4 ? at + 6 : NULL;
	return at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
}

/* Behind the string there, or NULL if it is none. */
static inline const char *json_after_string(const char *at)
{
	if (*at != '"')
		return NULL;
	at++;
	while (at && *at != '"') {
		if ((unsigned char)*at < 0x20)
			return NULL;
		at = *at == '\\' ? json_after_escape(at) : at + 1;
	}
	return at ? at + 1 : NULL;
}

static inline bool is_json_line(const char *at)
{
	if (*at != '{')
		return false;
	do {
		at = json_after_string(at + 1);
		if (!at || *at != ':')
			return false;
		at = json_after_string(at + 1);
	} while (at && *at == ',');
	return at && !strcmp(at, "}\n");
}

#endif
