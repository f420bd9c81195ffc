/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/report.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

static const struct {
	const char *name;
	double percent;
} rows[] = {
	{ "p50", 50 },
	{ "p90", 90 },
	{ "p99", 99 },
	{ "p99.9", 99.9 },
	{ "p99.99", 99.99 },
	{ "max", 100 },
};

static const char *const errors[] = {
#define LOAD_ERROR(name, text) text,
	LOAD_ERRORS_TABLE
#undef LOAD_ERROR
};

static const char *const error_names[] = {
#define LOAD_ERROR(name, text) #name,
	LOAD_ERRORS_TABLE
#undef LOAD_ERROR
};

const char *report_time(int64_t ns)
{
	static _Thread_local char texts[8][32];
	static _Thread_local unsigned turn;
	char *text = texts[turn++ % ARRAY_SIZE(texts)];
	double us = (double)ns / 1000;

	if (us < 1000)
		snprintf(text, sizeof(texts[0]), "%.1f us", us);
	else if (us < 1000000)
		snprintf(text, sizeof(texts[0]), "%.2f ms", us / 1000);
	else
		snprintf(text, sizeof(texts[0]), "%.2f s", us / 1000000);
	return text;
}

static double seconds(const struct load *l)
{
	double s = (double)l->result.elapsed / (double)CLOCK_SECOND;

	return s > 0 ? s : 1e-9;
}

static void print_latency(
	const char *what, const struct histogram *h, FILE *out)
{
	fprintf(out, "  %-12s", what);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, "%11s",
			report_time(histogram_at(h, rows[i].percent)));
	fputc('\n', out);
}

void report_text(const struct load *l, FILE *out)
{
	const struct load_result *r = &l->result;
	double s = seconds(l);

	fprintf(out,
		"%" PRIu64
		" exchanges in %.2f s: %.1f a second, %.2f MiB/s in, "
		"%.2f MiB/s out\n",
		r->exchanges, s, (double)r->exchanges / s,
		(double)r->bytes_in / s / 1048576,
		(double)r->bytes_out / s / 1048576);
	fprintf(out, "%" PRIu64 " connections made, %.1f a second\n",
		r->connections, (double)r->connections / s);
	fprintf(out, "  %-12s", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, "%11s", rows[i].name);
	fputc('\n', out);
	print_latency("latency", &r->latency, out);
	print_latency("connect", &r->connect, out);
	if (l->params.rate > 0)
		fprintf(out,
			"  latency counts from when an exchange was due, %.1f "
			"a second\n",
			l->params.rate);
	if (l->params.rate > 0 && r->unfinished > 0)
		fprintf(out, "  %" PRIu64 " exchanges had not ended\n",
			r->unfinished);
	for (int i = 0; i < LOAD_ERRORS; i++)
		if (r->errors[i] > 0)
			fprintf(out, "  %" PRIu64 " times %s\n", r->errors[i],
				errors[i]);
}

static void json_latency(const char *what, const struct histogram *h, FILE *out)
{
	fprintf(out, ", \"%s\": {\"count\": %" PRIu64 ", \"mean\": %.0f", what,
		h->total, histogram_mean(h));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, ", \"%s\": %" PRId64, rows[i].name,
			histogram_at(h, rows[i].percent));
	fputc('}', out);
}

void report_json(const struct load *l, FILE *out)
{
	const struct load_result *r = &l->result;
	double s = seconds(l);

	fprintf(out,
		"{\"seconds\": %.6f, \"exchanges\": %" PRIu64
		", \"rate\": %.3f, \"connections\": %" PRIu64
		", \"connection_rate\": %.3f, \"bytes_in\": %" PRIu64
		", \"bytes_out\": %" PRIu64 ", \"unfinished\": %" PRIu64,
		s, r->exchanges, (double)r->exchanges / s, r->connections,
		(double)r->connections / s, r->bytes_in, r->bytes_out,
		r->unfinished);
	fputs(", \"errors\": {", out);
	for (int i = 0; i < LOAD_ERRORS; i++)
		fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "",
			error_names[i], r->errors[i]);
	fputc('}', out);
	json_latency("latency", &r->latency, out);
	json_latency("connect", &r->connect, out);
	fputs("}\n", out);
}
