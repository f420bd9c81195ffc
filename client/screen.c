/* SPDX-License-Identifier: Apache-2.0 */

#include "client/screen.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/block.h"
#include "client/outlet.h"
#include "client/tally.h"
#include "common/base/log.h"

/* Rows are taken so often at most, so that a flood wakes nobody for each. */
#define GATHER_PAUSE 20

/* How long the output may take nothing at the end. */
#define END_TIME 1000

struct screen {
	struct screen_params params;
	struct bell bell;
	pthread_t thread;
	_Atomic bool ending;
	int count;
	struct journal **journals;

	pthread_mutex_t lock; /* of the next two */
	struct outlet *log;   /* what was logged and is not taken */
	uint64_t log_cut;     /* bytes that found no room in it */

	/* The thread's own. */
	struct outlet *taken; /* of the log */
	struct outlet out;    /* standard output; lines of requests wait */
	struct tally tally;
	struct tally_style style;
	char address[JOURNAL_ADDRESS]; /* "": not known yet */
	uint64_t hidden;               /* lines that found no room */
	uint32_t open;                 /* as it was drawn */
	int64_t drawn_at;
	struct block block;
	bool terminal;
	bool changed; /* the block is not what stands there */
};

/* --- the block on a terminal --- */

static void look_at_size(struct screen *s)
{
	struct winsize size = { 0 };

	if (!s->terminal)
		return;
	if (ioctl(s->params.fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size.ws_col = 80;
	s->style.columns = size.ws_col;
}

static uint32_t count_open(const struct screen *s)
{
	uint32_t n = 0;

	for (int i = 0; i < s->count; i++)
		n += atomic_load(&s->journals[i]->open);
	return n;
}

/* Lines that were not printed, and rows that did not even come here. */
static uint64_t count_hidden(const struct screen *s)
{
	uint64_t n = s->hidden;

	for (int i = 0; i < s->count; i++)
		n += atomic_load(&s->journals[i]->lost);
	return n;
}

static size_t make_sum(struct screen *s, char text[static TALLY_LINE], int i)
{
	return tally_sum(text, &s->tally, (unsigned)i, s->open, count_hidden(s),
		&s->style);
}

static void draw(struct screen *s, FILE *f)
{
	unsigned columns = s->style.columns > 1 ? s->style.columns - 1 : 1;
	char text[TALLY_LINE];
	size_t n = tally_text(text, s->address, strlen(s->address), columns);

	if (n > 0)
		block_add(&s->block, f, text, n, s->style.color);
	for (int i = 0; i < TALLY_LINES; i++) {
		n = make_sum(s, text, i);
		if (n > 0)
			block_add(&s->block, f, text, n, false);
	}
}

static bool is_log_waiting(struct screen *s)
{
	bool waiting;

	pthread_mutex_lock(&s->lock);
	waiting = s->log->size > 0;
	pthread_mutex_unlock(&s->lock);
	return waiting;
}

/* What was logged since; it goes above the block. */
static void put_log(struct screen *s)
{
	struct outlet *t;
	uint64_t cut;

	pthread_mutex_lock(&s->lock);
	t = s->log;
	s->log = s->taken;
	s->taken = t;
	cut = s->log_cut;
	s->log_cut = 0;
	pthread_mutex_unlock(&s->lock);
	outlet_pour(t);
	if (cut > 0)
		dprintf(t->fd, "(%llu bytes of the log left out)\n",
			(unsigned long long)cut);
}

/* Erase, print what has come, draw. */
static void refresh(struct screen *s)
{
	bool log = is_log_waiting(s);
	char *frame = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&frame, &size);

	if (!f)
		return;
	look_at_size(s);
	block_erase(&s->block, f, s->style.columns);
	if (log && fflush(f) == 0) {
		outlet_write(&s->out, frame, size);
		put_log(s);
		rewind(f);
	}
	fwrite(s->out.text, 1, s->out.size, f);
	s->out.size = 0;
	if (*s->address || s->tally.requests > 0 || s->open > 0)
		draw(s, f);
	s->changed = false;
	if (fflush(f) == 0)
		outlet_write(&s->out, frame, (size_t)ftell(f));
	fclose(f);
	free(frame);
	s->drawn_at = clock_now();
}

/* --- what the workers say --- */

static void take_address(struct screen *s, const char *address)
{
	char text[TALLY_LINE + 1];
	size_t n = tally_text(text, address, strlen(address), 0);

	snprintf(s->address, sizeof(s->address), "%s", address);
	s->changed = true;
	text[n++] = '\n';
	/* On a terminal, too, where the block may cut it. */
	if (!outlet_add(&s->out, text, n))
		s->hidden++;
}

static void take_request(struct screen *s, const struct journal_row *row)
{
	char text[TALLY_LINE];
	size_t n = tally_line(text, row, &s->style);

	tally_add(&s->tally, &row->exchange);
	s->changed = true;
	if (!outlet_add(&s->out, text, n))
		s->hidden++;
}

static void gather(struct screen *s)
{
	const struct journal_row *row;
	uint32_t open;

	look_at_size(s);
	for (int i = 0; i < s->count; i++) {
		while ((row = journal_first(s->journals[i]))) {
			if (row->proxy)
				take_request(s, row);
			else
				take_address(s, row->address);
			journal_drop(s->journals[i]);
		}
	}
	open = count_open(s);
	s->changed |= open != s->open;
	s->open = open;
}

/* --- the thread --- */

/* Something has come since the journals were read. */
static bool is_called(struct screen *s)
{
	if (atomic_load(&s->ending) || count_open(s) != s->open)
		return true;
	for (int i = 0; i < s->count; i++)
		if (journal_first(s->journals[i]))
			return true;
	return false;
}

/* Milliseconds until the terminal is to be drawn; -1: there is no need. */
static int pause_of(struct screen *s)
{
	int64_t left;

	if (!s->terminal || s->out.dead ||
		!(s->changed || s->out.size > 0 || is_log_waiting(s)))
		return -1;
	left = s->drawn_at + SCREEN_PAUSE - clock_now();
	return left > 0 ? (int)(left / CLOCK_MS) + 1 : 0;
}

/* Sleep until there is something to do. */
static void await(struct screen *s)
{
	bool stuck = !s->terminal && s->out.size > 0;
	struct pollfd p[] = { { .fd = s->bell.fd, .events = POLLIN },
		{ .fd = stuck ? s->params.fd : -1, .events = POLLOUT } };
	int timeout;
	uint64_t n;

	atomic_store(&s->bell.awaited, true);
	timeout = pause_of(s);
	if (is_called(s))
		timeout = 0;
	poll(p, ARRAY_SIZE(p), timeout);
	atomic_store(&s->bell.awaited, false);
	if ((p[0].revents & POLLIN) && read(s->bell.fd, &n, sizeof(n)) < 0)
		return;
}

static void show(struct screen *s)
{
	if (!s->terminal) {
		outlet_print(&s->out, 0);
		return;
	}
	if (pause_of(s) != 0)
		return;
	if (outlet_has_room(&s->out, 0))
		refresh(s);
	else
		s->drawn_at = clock_now();
}

/* The sum stays where the block was, or below the plain lines. */
static void print_sum(struct screen *s)
{
	char text[TALLY_LINE];

	if (s->terminal) {
		refresh(s);
		if (s->block.lines > 0)
			outlet_write(&s->out, "\n", 1);
		return;
	}
	outlet_print(&s->out, END_TIME);
	if (s->out.size > 0 || s->out.dead)
		return; /* it is stuck */
	for (int i = 0; i < TALLY_LINES; i++) {
		size_t n = make_sum(s, text, i);

		text[n++] = '\n';
		if (n > 1)
			(void)outlet_add(&s->out, text, n);
	}
	outlet_print(&s->out, END_TIME);
}

static void *run(void *arg)
{
	struct screen *s = arg;

	while (!atomic_load(&s->ending)) {
		await(s);
		gather(s);
		show(s);
		poll(NULL, 0, GATHER_PAUSE);
	}
	gather(s);
	print_sum(s);
	return NULL;
}

/* Lines of the log, from the main thread. */
static void take_log(void *arg, const char *text, size_t n)
{
	struct screen *s = arg;

	pthread_mutex_lock(&s->lock);
	if (!outlet_add(s->log, text, n))
		s->log_cut += n;
	pthread_mutex_unlock(&s->lock);
	bell_ring(&s->bell);
}

/* --- its life --- */

/* One that understands the few codes that we use. */
static bool is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

struct screen *screen_create(const struct screen_params *params)
{
	struct screen *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->params = *params;
	s->terminal = is_terminal(params->fd);
	s->style.color =
		s->terminal && params->color && log_may_color(params->fd);
	s->style.names = params->names;
	pthread_mutex_init(&s->lock, NULL);
	s->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->log = calloc(1, sizeof(*s->log));
	s->taken = calloc(1, sizeof(*s->taken));
	s->out.fd = params->fd;
	if (s->bell.fd < 0 || !s->log || !s->taken)
		screen_destroy(&s);
	else
		s->log->fd = s->taken->fd = params->log_fd;
	return s;
}

struct journal *screen_journal(struct screen *s)
{
	struct journal **grown =
		realloc(s->journals, ((size_t)s->count + 1) * sizeof(*grown));
	struct journal *j = calloc(1, sizeof(*j));

	if (grown)
		s->journals = grown;
	if (!grown || !j) {
		free(j);
		return NULL;
	}
	j->bell = &s->bell;
	s->journals[s->count++] = j;
	return j;
}

int screen_start(struct screen *s)
{
	int rc = pthread_create(&s->thread, NULL, run, s);

	if (rc == 0 && s->terminal && isatty(s->params.log_fd))
		log_set_writer(take_log, s);
	return -rc;
}

void screen_announce(void *arg, const char *address)
{
	struct screen *s = arg;
	struct journal_row row = { .proxy = NULL };

	snprintf(row.address, sizeof(row.address), "%s", address);
	journal_put(s->journals[0], &row);
}

bool screen_end(struct screen *s)
{
	struct timespec until;

	log_set_writer(NULL, NULL);
	atomic_store(&s->ending, true);
	bell_ring(&s->bell);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_TIME / 1000 + 1;
	return pthread_timedjoin_np(s->thread, NULL, &until) == 0;
}

void screen_destroy(struct screen **s_p)
{
	struct screen *s = *s_p;

	*s_p = NULL;
	if (!s)
		return;
	for (int i = 0; i < s->count; i++)
		free(s->journals[i]);
	free(s->journals);
	free(s->log);
	free(s->taken);
	if (s->bell.fd >= 0)
		close(s->bell.fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
