/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What people write into a file of users, and a program that reads the file
 * and writes it anew would lose: comments, and templates, in whose place would
 * stand what they were expanded to.
 */

#ifndef ADIT_SERVER_USERS_HANDWRITING_H
#define ADIT_SERVER_USERS_HANDWRITING_H

#include <stddef.h>

#include "common/base/compiler.h"

/*
 * The first of it in a YAML text of `size` bytes and a NUL: "a comment" or "a
 * template", and its line, counted from 1; NULL: there is none. What cannot be
 * told from a comment, such as " #" in a block of text, is one.
 */
const char *handwriting_find(
	const char *text, size_t size, size_t *line_r) must_check;

#endif
