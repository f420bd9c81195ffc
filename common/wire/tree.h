/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON of a message, whose texts may be passwords and login keys. */

#ifndef ADIT_WIRE_TREE_H
#define ADIT_WIRE_TREE_H

#include <jansson.h>

/* Wipe all texts in it, then free it; the caller's is the only reference. NULL
 * is accepted. */
void tree_free(json_t *tree);

#endif
