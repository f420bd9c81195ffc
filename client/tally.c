/* SPDX-License-Identifier: Apache-2.0 */

#include "client/tally.h"

#include <string.h>
#include <time.h>

#include "common/base/clock.h"

/* A line on a terminal; what is left is the target's. */
#define METHOD_COLUMNS 7
#define TIME_COLUMNS 8
#define SIZE_COLUMNS 9
#define GAP 2
#define CLOCK_PART (8 + GAP)
#define SIZE_PART (SIZE_COLUMNS + GAP)
#define FIXED_PART (METHOD_COLUMNS + 3 + TIME_COLUMNS + 3 * GAP)

/* Less is not left to a target, more is not padded. */
#define TARGET_LEAST 12
#define TARGET_PADDED 40

static const char dots[] = "...";

/* By the status's first digit (ECMA-48 8.3.117); 0: cut. */
static const char *const colors[10] = {
	[0] = "\x1b[31m",
	[1] = "\x1b[35m",
	[2] = "\x1b[32m",
	[3] = "\x1b[36m",
	[4] = "\x1b[33m",
	[5] = "\x1b[31m",
};

void tally_add(struct tally *t, const struct watch_exchange *e)
{
	t->requests++;
	if (e->cut) {
		t->cut++;
		return;
	}
	t->classes[e->status / 100 % 10]++;
	t->in += e->in;
	t->out += e->out;
	histogram_record(&t->times, e->ended - e->began);
}

/* --- words --- */

struct word {
	char text[24];
};

static struct word time_word(int64_t ns)
{
	double ms = (double)ns / (double)CLOCK_MS;
	struct word w;

	if (ms < 1000)
		snprintf(w.text, sizeof(w.text),
			ms < 10 ? "%.1f ms" : "%.0f ms", ms);
	else
		snprintf(w.text, sizeof(w.text),
			ms < 100000 ? "%.1f s" : "%.0f s", ms / 1000);
	return w;
}

static struct word size_word(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB",
		"PiB" };
	double n = (double)bytes;
	size_t unit = 0;
	struct word w;

	if (bytes < 1024) {
		snprintf(w.text, sizeof(w.text), "%u B", (unsigned)bytes);
		return w;
	}
	for (n /= 1024; n >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		n /= 1024;
	snprintf(w.text, sizeof(w.text), "%.1f %s", n, units[unit]);
	return w;
}

static struct word clock_word(int64_t at)
{
	time_t t = (time_t)at;
	struct word w;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(w.text, sizeof(w.text), "%H:%M:%S", &tm);
	return w;
}

/* One byte as it may stand in a line; its columns. */
static size_t show_byte(char to[static 5], unsigned char c)
{
	if (c == '\\')
		return (size_t)snprintf(to, 5, "\\\\");
	if (c >= 0x20 && c < 0x7f)
		return (size_t)snprintf(to, 5, "%c", c);
	return (size_t)snprintf(to, 5, "\\x%02x", c);
}

/*
 * The text, of which `size` bytes are here; `more` of it are not. What does
 * not fit is dots.
 */
static size_t put_text(
	char *to, const char *text, size_t size, bool more, unsigned columns)
{
	size_t limit = columns ? columns : TALLY_LINE / 2;
	size_t n = 0, cut = 0; /* where dots have room */

	for (size_t i = 0; i < size; i++) {
		char shown[5];
		size_t width = show_byte(shown, (unsigned char)text[i]);

		if (n + width > limit) {
			more = true;
			break;
		}
		memcpy(to + n, shown, width);
		n += width;
		if (n + strlen(dots) <= limit)
			cut = n;
	}
	if (more) {
		n = n + strlen(dots) <= limit ? n : cut;
		n += (size_t)snprintf(to + n, sizeof(dots), "%.*s",
			(int)(limit < strlen(dots) ? limit : strlen(dots)),
			dots);
	}
	to[n] = '\0';
	return n;
}

size_t tally_text(char to[static TALLY_LINE], const char *text, size_t size,
	unsigned columns)
{
	return put_text(to, text, size, false, columns);
}

/* --- the line of a request --- */

/* Name and target, in so many columns; 0: as many as it takes. */
static size_t put_target(
	char *to, const struct journal_row *row, bool name, unsigned columns)
{
	const struct watch_exchange *e = &row->exchange;
	char text[WATCH_TARGET + 64];
	size_t n = 0, kept;
	bool more = e->target_len > WATCH_TARGET;

	kept = more ? WATCH_TARGET : e->target_len;
	if (name)
		n = (size_t)snprintf(text, 64, "[%.40s] ", row->proxy);
	memcpy(text + n, e->target, kept);
	return put_text(to, text, n + kept, more, columns);
}

static const char *color_of(
	const struct watch_exchange *e, const struct tally_style *style)
{
	const char *color = colors[e->cut ? 0 : e->status / 100 % 10];

	return style->color && color ? color : "";
}

static struct word status_word(uint16_t status)
{
	struct word w = { "---" };

	if (status)
		snprintf(w.text, sizeof(w.text), "%u", status);
	return w;
}

/* How wide the parts are; 0: as wide as they are. */
struct layout {
	bool clock, size;
	int method, target, pad, time, bytes;
};

/* Without room for all, sizes are left out first, then the time of day. */
static struct layout layout_for(unsigned columns)
{
	struct layout l = { true, true, METHOD_COLUMNS, 0, 0, TIME_COLUMNS,
		SIZE_COLUMNS };
	/* The last column stays free: some terminals wrap there at once. */
	int room = (int)columns - 1 - FIXED_PART - CLOCK_PART - SIZE_PART;

	if (columns == 0)
		return (struct layout){ .clock = true, .size = true };
	if (room < TARGET_LEAST) {
		l.size = false;
		room += SIZE_PART;
	}
	if (room < TARGET_LEAST) {
		l.clock = false;
		room += CLOCK_PART;
	}
	l.target = room < TARGET_LEAST ? TARGET_LEAST : room;
	l.pad = l.target < TARGET_PADDED ? l.target : TARGET_PADDED;
	return l;
}

size_t tally_line(char text[static TALLY_LINE], const struct journal_row *row,
	const struct tally_style *style)
{
	const struct watch_exchange *e = &row->exchange;
	struct layout l = layout_for(style->columns);
	char target[TALLY_LINE], method[TALLY_LINE];
	const char *color = color_of(e, style);
	struct word size = { "cut" };

	put_text(method, e->method, e->method_len, false, (unsigned)l.method);
	put_target(target, row, style->names, (unsigned)l.target);
	if (!e->cut)
		size = size_word(e->out);
	return (size_t)snprintf(text, TALLY_LINE,
		"%s%s%-*.128s  %-*.1200s  %s%s%s  %*s%s%*s\n",
		l.clock ? clock_word(row->at).text : "", l.clock ? "  " : "",
		l.method, method, l.pad, target, color,
		status_word(e->status).text, *color ? "\x1b[0m" : "", l.time,
		time_word(e->ended - e->began).text, l.size ? "  " : "",
		l.size ? l.bytes : 0, l.size ? size.text : "");
}

/* --- the sum --- */

static void print_counts(
	FILE *f, const struct tally *t, uint32_t open, uint64_t hidden)
{
	fprintf(f, "%llu request%s", (unsigned long long)t->requests,
		t->requests == 1 ? "" : "s");
	if (open > 0)
		fprintf(f, "  %u open", open);
	for (unsigned i = 1; i < ARRAY_SIZE(t->classes); i++)
		if (t->classes[i] > 0)
			fprintf(f, "  %uxx %llu", i,
				(unsigned long long)t->classes[i]);
	if (t->cut > 0)
		fprintf(f, "  cut %llu", (unsigned long long)t->cut);
	if (hidden > 0)
		fprintf(f, "  not shown %llu", (unsigned long long)hidden);
}

static void print_times(FILE *f, const struct tally *t)
{
	fprintf(f, "p50 %s  p90 %s  p99 %s  in %s  out %s",
		time_word(histogram_at(&t->times, 50)).text,
		time_word(histogram_at(&t->times, 90)).text,
		time_word(histogram_at(&t->times, 99)).text,
		size_word(t->in).text, size_word(t->out).text);
}

size_t tally_sum(char text[static TALLY_LINE], const struct tally *t,
	unsigned i, uint32_t open, uint64_t hidden,
	const struct tally_style *style)
{
	char line[TALLY_LINE] = "";
	FILE *f = fmemopen(line, sizeof(line), "w");

	if (!f)
		return 0;
	if (i == 0)
		print_counts(f, t, open, hidden);
	else if (t->times.total > 0)
		print_times(f, t);
	fclose(f);
	return put_text(text, line, strlen(line), false,
		style->columns > 1 ? style->columns - 1 : style->columns);
}
