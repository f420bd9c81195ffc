/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Counts of values with three significant digits, from 1 to over an hour in
 * nanoseconds, in HdrHistogram's published layout (hdrhistogram.org): buckets
 * that double in width, each of 1,024 equal parts.
 */

#ifndef ADIT_LOAD_HISTOGRAM_H
#define ADIT_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_HALF 1024
#define HISTOGRAM_BUCKETS 32
#define HISTOGRAM_COUNTS ((HISTOGRAM_BUCKETS + 1) * HISTOGRAM_HALF)

/* Beyond it a value counts as this one. */
#define HISTOGRAM_MAX ((INT64_C(1) << (HISTOGRAM_BUCKETS + 10)) - 1)

/* All zero is empty; 264 KiB. */
struct histogram {
	uint64_t total;
	int64_t min, max; /* of what was recorded, exactly */
	double sum;
	uint64_t counts[HISTOGRAM_COUNTS];
};

/* A value below 0 counts as 0. */
void histogram_record(struct histogram *h, int64_t value);

/*
 * The value that `percent` (0 to 100) of all are not above, at most 0.1 % too
 * high; 0 when empty.
 */
int64_t histogram_at(const struct histogram *h, double percent);

double histogram_mean(const struct histogram *h);

#endif
