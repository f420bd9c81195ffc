/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lists of whole numbers as frp's parseNumberRange reads them: numbers and
 * ranges parted by commas, "1000-1003,2000".
 */

#ifndef ADIT_CONF_NUMBERS_H
#define ADIT_CONF_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

#define CONF_NUMBERS_MAX 65536

/* Zeroed is empty. */
struct conf_numbers {
	size_t n, room;
	int64_t *v;
};

/*
 * Read `text` into the empty list. 0; -EINVAL when it is no such list or has
 * more than CONF_NUMBERS_MAX numbers; -ENOMEM. Freed in any case.
 */
int conf_numbers_read(struct conf_numbers *list, const char *text) must_check;

/* The list is empty again. */
void conf_numbers_free(struct conf_numbers *list);

#endif
