/* SPDX-License-Identifier: Apache-2.0 */

/* Which bytes are characters (RFC 3629). */

#ifndef ADIT_BASE_UTF8_H
#define ADIT_BASE_UTF8_H

#include <stddef.h>

/*
 * Bytes of the character of two bytes or more that begins at `s`, of which `n`
 * may be looked at; 0 if there is none, or one that a terminal does not show
 * but obeys: control characters, and those that turn or break a line. It reads
 * no further than the first byte that is wrong.
 */
size_t utf8_length(const unsigned char *s, size_t n);

#endif
