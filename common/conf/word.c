/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/word.h"

#include <ctype.h>
#include <string.h>

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

struct conf_word conf_word_next(const char **rest_p, const char *end)
{
	const char *p = *rest_p, *close;
	struct conf_word w;

	while (p < end && isspace((unsigned char)*p))
		p++;
	w = (struct conf_word){ p, 0 };
	if (p < end && (*p == '"' || *p == '`')) {
		close = memchr(p + 1, *p, (size_t)(end - p - 1));
		w.n = close ? (size_t)(close - p) + 1 : 0;
	} else if (p < end && is_name(*p)) {
		while (p + w.n < end && is_name(p[w.n]))
			w.n++;
	} else if (p < end) {
		w.n = *p == ':' && end - p > 1 ? 2 : 1;
	}
	*rest_p = p + w.n;
	return w;
}

bool conf_word_is(struct conf_word w, const char *text)
{
	return w.n == strlen(text) && memcmp(w.at, text, w.n) == 0;
}

bool conf_word_begins(struct conf_word w, const char *text)
{
	return w.n > strlen(text) && memcmp(w.at, text, strlen(text)) == 0;
}
