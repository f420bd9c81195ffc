/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whole numbers as a configuration writes them.
 */

#ifndef ADIT_CONF_NUMBER_H
#define ADIT_CONF_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A decimal number, perhaps negative, without leading zeros, a plus or
 * blanks, into *number_r; false for everything else and out of int64_t.
 */
bool conf_number_read(const char *text, int64_t *number_r);

#endif
