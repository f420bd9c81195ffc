/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Up to 15 digits with blanks around; where it ends, or NULL. */
static const char *read_one(const char *p, int64_t *number_r)
{
	size_t digits;

	p += strspn(p, " \t");
	digits = strspn(p, "0123456789");
	if (digits == 0 || digits > 15)
		return NULL;
	*number_r = strtoll(p, NULL, 10);
	p += digits;
	return p + strspn(p, " \t");
}

static int add(struct conf_numbers *list, int64_t from, int64_t to)
{
	size_t count, room;
	int64_t *v;

	if (to < from || to - from >= CONF_NUMBERS_MAX)
		return -EINVAL;
	count = (size_t)(to - from) + 1;
	if (count > CONF_NUMBERS_MAX - list->n)
		return -EINVAL;
	if (list->n + count > list->room) {
		room = 2 * (list->n + count);
		v = reallocarray(list->v, room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		list->v = v;
		list->room = room;
	}
	while (from <= to)
		list->v[list->n++] = from++;
	return 0;
}

int conf_numbers_read(struct conf_numbers *list, const char *text)
{
	int64_t from, to;
	int result = 0;

	while (result == 0) {
		text = read_one(text, &from);
		to = from;
		if (text && *text == '-')
			text = read_one(text + 1, &to);
		if (!text || (*text && *text != ','))
			return -EINVAL;
		result = add(list, from, to);
		if (!*text)
			break;
		text++;
	}
	return result;
}

void conf_numbers_free(struct conf_numbers *list)
{
	free(list->v);
	*list = (struct conf_numbers){ 0 };
}
