/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One line of the log, in the form that it is written in. Whatever came from
 * outside is escaped. What does not fit is cut, but no character or escape is,
 * and the line is closed: JSON stays JSON.
 */

#ifndef ADIT_BASE_LOG_LINE_H
#define ADIT_BASE_LOG_LINE_H

#include "common/base/log.h"

/* In less there is no room for what is not text. */
#define LOG_LINE_MIN 128

struct log_form {
	enum log_format format;
	bool color;
};

/*
 * Put the line into `size` bytes, LOG_LINE_MIN or more, with its line feed and
 * no NUL; what it takes of them. `pairs` as in log_write.
 */
size_t log_line(char *out, size_t size, const struct log_form *form,
	enum log_level level, const char *const *pairs, const char *msg);

#endif
