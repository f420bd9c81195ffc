/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A configuration written as YAML.
 */

#ifndef ADIT_CONF_DUMP_H
#define ADIT_CONF_DUMP_H

#include <stdio.h>

#include "common/conf/table.h"

/*
 * Write every value of the struct at `base`, whatever it came from. Secrets
 * that are set appear as "***". Keys without a field are left out.
 */
void conf_dump(const struct conf_table *t, const void *base, FILE *out);

/*
 * Write the sample file: every key with a field, its default, and its one
 * sentence, range and unit as a comment before it. 0 or -ENOMEM.
 */
int conf_sample(const struct conf_table *t, FILE *out) must_check;

#endif
