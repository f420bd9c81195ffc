/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes that do not repeat where a mistake would look for them. */

#ifndef ADIT_LOAD_PATTERN_H
#define ADIT_LOAD_PATTERN_H

#include <stdint.h>

#define PATTERN_SIZE 65521
extern uint8_t pattern[PATTERN_SIZE];

/* Make them, always the same. */
void pattern_make(void);

#endif
