/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/histogram.h"

/* Which count: `bucket` is how often the width has doubled. */
static unsigned index_of(int64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll((uint64_t)value | 1);
	unsigned bucket = bits > 11 ? bits - 11 : 0;

	return bucket * HISTOGRAM_HALF + (unsigned)(value >> bucket);
}

/* The largest value that is counted there. */
static int64_t highest_at(unsigned index)
{
	unsigned bucket = index / HISTOGRAM_HALF;
	int64_t part = index % HISTOGRAM_HALF;

	if (bucket == 0)
		return part;
	/* Parts 1,024 to 2,047 of a bucket are the next row of counts. */
	return ((part + HISTOGRAM_HALF + 1) << (bucket - 1)) - 1;
}

void histogram_record(struct histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	if (value > HISTOGRAM_MAX)
		value = HISTOGRAM_MAX;
	if (h->total == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->total++;
	h->sum += (double)value;
	h->counts[index_of(value)]++;
}

int64_t histogram_at(const struct histogram *h, double percent)
{
	double want = (double)h->total * percent / 100;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_COUNTS; i++) {
		seen += h->counts[i];
		if (seen > 0 && (double)seen >= want) {
			int64_t v = highest_at(i);

			return v > h->max ? h->max : v < h->min ? h->min : v;
		}
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->total ? h->sum / (double)h->total : 0;
}
