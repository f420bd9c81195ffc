/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/tree.h"

#include <string.h>

/* As deep as jansson reads (JSON_PARSER_MAX_DEPTH): 2,048 levels. */
static void wipe(json_t *j)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(j)) {
		explicit_bzero(
			(char *)json_string_value(j), json_string_length(j));
	} else if (json_is_object(j)) {
		json_object_foreach(j, key, value) wipe(value);
	} else if (json_is_array(j)) {
		json_array_foreach(j, i, value) wipe(value);
	}
}

void tree_free(json_t *tree)
{
	wipe(tree);
	json_decref(tree);
}
