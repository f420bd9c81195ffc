/* SPDX-License-Identifier: Apache-2.0 */

/* What a load generator has measured, as text and as JSON. */

#ifndef ADIT_LOAD_REPORT_H
#define ADIT_LOAD_REPORT_H

#include <stdio.h>

#include "common/load/load.h"

/* A table for people. */
void report_text(const struct load *l, FILE *out);

/* One object in one line: counts, rates a second, latencies in ns. */
void report_json(const struct load *l, FILE *out);

/* A duration as people say it, such as "1.25 ms"; static, per thread. */
const char *report_time(int64_t ns);

#endif
