/* SPDX-License-Identifier: Apache-2.0 */

#include "common/event/core.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/heap.h"
#include "common/base/log.h"
#include "common/event/backend.h"
#include "common/event/pipe.h"

/* What the main thread waits for. */
enum {
	WAIT_SIGNAL,
	WAIT_LOG,
	WAIT_READER, /* who takes the log, while it waits for that */
	WAIT_END,
	WAIT_CHORES,
	WAITS
};

struct supervisor {
	struct core *const *cores;
	struct core_chores *chores; /* NULL: none */
	int n;
	struct pollfd waits[WAITS];
	int terminal; /* that the program was started at; -1: none */
	bool nohup;   /* it is to survive that (nohup(1)) */
	int signals;  /* to end that were seen */
	int ended;    /* cores that have stopped */
};

/* What one core puts into a report. */
struct report_part {
	struct counters counters;
	struct core_level levels[CORE_LEVELS];
	int level_count;
};

/* Made by the main thread, filled by each core, written by the last one. */
struct report {
	_Atomic int missing;
	int n;
	struct report_part parts[];
};

struct report_letter {
	struct letter letter;
	struct report *report;
	int index;
};

static void deliver_drain(struct mailbox *m, struct letter *letter)
{
	struct core *c = container_of(m, struct core, mailbox);

	(void)letter;
	if (c->draining)
		return;
	c->draining = true;
	c->ops->drain(c);
}

static void deliver_quit(struct mailbox *m, struct letter *letter)
{
	struct core *c = container_of(m, struct core, mailbox);

	(void)letter;
	c->at_once = true;
	c->ops->quit(c);
}

static void deliver_stop(struct mailbox *m, struct letter *letter)
{
	struct core *c = container_of(m, struct core, mailbox);

	(void)letter;
	core_stop(c, 0);
}

/* How evenly the kernel and the matchmaker spread the work. */
static void write_balance(const struct report *r, FILE *f)
{
	static const struct {
		const char *name;
		enum counter counter;
	} rows[] = {
		{ "accepts", COUNTER_accepts },
		{ "relays", COUNTER_relays },
		{ "bytes_in", COUNTER_bytes_in },
		{ "bytes_out", COUNTER_bytes_out },
	};

	for (int i = 0; i < r->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			fprintf(f, " worker_%d_%s=%" PRIu64, i, rows[k].name,
				r->parts[i].counters.value[rows[k].counter]);
}

/* Threads that the kernel has made to block in our place: always 0. */
static int count_io_wq(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int n = 0;

	while (tasks && (task = readdir(tasks))) {
		char path[64], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm",
			task->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			n += !strncmp(name, "iou-wrk", 7);
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return n;
}

static void write_report(const struct report *r)
{
	struct report_part sum = r->parts[0];
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	for (int i = 1; i < r->n; i++) {
		counters_add(&sum.counters, &r->parts[i].counters);
		for (int k = 0; k < sum.level_count; k++)
			sum.levels[k].value += r->parts[i].levels[k].value;
	}
	fputs("counters", f);
	counters_print(&sum.counters, f);
	for (int k = 0; k < sum.level_count; k++)
		fprintf(f, " pool_%s=%" PRIu64, sum.levels[k].name,
			sum.levels[k].value);
	fprintf(f, " completions_per_enter=%.1f workers=%d io_wq_threads=%d",
		(double)sum.counters.value[COUNTER_completions] /
			(double)(sum.counters.value[COUNTER_enters] + 1),
		r->n, count_io_wq());
	write_balance(r, f);
	if (fclose(f) == 0)
		log_long(LOG_INFO, text);
	free(text);
}

/* One part more is there, or will never be: then nothing is written. */
static void report_done(struct report *r, bool complete)
{
	if (atomic_fetch_sub(&r->missing, 1) != 1)
		return;
	if (complete)
		write_report(r);
	free(r);
}

static void discard_report(struct letter *letter)
{
	report_done(((struct report_letter *)letter)->report, false);
}

static void deliver_report(struct mailbox *m, struct letter *letter)
{
	struct core *c = container_of(m, struct core, mailbox);
	struct report_letter *rl = (struct report_letter *)letter;
	struct report_part *part = &rl->report->parts[rl->index];

	part->levels[0] = (struct core_level){ "buffers",
		chunk_pool_used(c->loop->chunks) };
	part->levels[1] =
		(struct core_level){ "operations", c->loop->in_flight };
	part->levels[2] =
		(struct core_level){ "pipes", pipe_pool_used(c->loop->pipes) };
	part->level_count = 3 + c->ops->report(c, part->levels + 3);
	/* Behind the report, which may have more to count. */
	part->counters = c->counters;
	report_done(rl->report, true);
}

/* The signals that the main thread takes, and no other. */
static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
}

const struct backend *core_choose_backend(enum backend_choice choice)
{
	int error;
	const struct backend *b = backend_choose(choice, &error);

	if (error < 0)
		log_info("event backend: %s, as io_uring cannot be set up: %s; "
			 "%s",
			b->name, strerror(-error), backend_ring_hint(-error));
	else if (choice == BACKEND_EPOLL)
		log_info("event backend: %s, as configured; to have io_uring: "
			 "backend: auto",
			b->name);
	else
		log_info("event backend: %s", b->name);
	return b;
}

static void log_refusal(const struct backend *b, int error)
{
	if (b == &backend_ring)
		log_error("io_uring cannot be set up: %s; %s, or set backend: "
			  "epoll",
			strerror(error), backend_ring_hint(error));
	else
		log_error("%s cannot be set up: %s", b->name, strerror(error));
}

int core_create(struct core *c, const struct core_ops *ops,
	const struct backend *backend, struct loop_params *params)
{
	int rc = mailbox_init(&c->mailbox);
	sigset_t set;

	/* Before any thread starts, so that all of them inherit the mask. */
	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (rc < 0) {
		log_error("eventfd: %s", strerror(-rc));
		return rc;
	}
	c->ops = ops;
	params->counters = &c->counters;
	rc = loop_create(&c->loop, backend, params);
	if (rc < 0) {
		log_refusal(backend, -rc);
		mailbox_destroy(&c->mailbox);
	}
	return rc;
}

void core_destroy(struct core *c)
{
	if (!c->loop)
		return;
	loop_destroy(&c->loop);
	mailbox_destroy(&c->mailbox);
}

void core_stop(struct core *c, int exit_code)
{
	if (c->stopping)
		return;
	c->stopping = true;
	c->exit_code = exit_code;
}

static void run(struct core *c)
{
	int rc = loop_enter(c->loop);

	if (rc < 0) {
		log_error("%s cannot be enabled: %s", c->loop->backend->name,
			strerror(-rc));
		c->exit_code = 1;
		return;
	}
	mailbox_start(&c->mailbox, c->loop);
	if (c->ops->start(c) < 0)
		core_stop(c, 1);
	while (!c->stopping)
		loop_turn(c->loop);
	mailbox_stop(&c->mailbox);
	while (!c->ops->join(c) || c->loop->in_flight > 0)
		loop_turn(c->loop);
}

static void *thread_main(void *arg)
{
	struct core *c = arg;
	uint64_t one = 1;

	if (log_attach() < 0)
		log_error("no memory for the log");
	run(c);
	if (write(c->end, &one, sizeof(one)) < 0)
		abort();
	return NULL;
}

static void post_all(struct supervisor *s, letter_fn *deliver)
{
	for (int i = 0; i < s->n; i++)
		mailbox_post(&s->cores[i]->mailbox,
			letter_new(sizeof(struct letter)), deliver);
}

static void ask_for_report(struct supervisor *s)
{
	struct report *r =
		calloc(1, sizeof(*r) + (size_t)s->n * sizeof(r->parts[0]));

	if (!r)
		return;
	r->n = s->n;
	atomic_store(&r->missing, s->n);
	for (int i = 0; i < s->n; i++) {
		struct report_letter *rl = letter_new(sizeof(*rl));

		rl->report = r;
		rl->index = i;
		rl->letter.discard = discard_report;
		mailbox_post(
			&s->cores[i]->mailbox, &rl->letter, deliver_report);
	}
}

static void reopen(struct supervisor *s)
{
	int rc = log_reopen();

	if (rc < 0)
		log_error("the log's file cannot be opened again: %s%s",
			strerror(-rc),
			rc == -EACCES && s->chores && s->chores->sealed
				? "; a directory that is another one than at "
				  "the start needs a restart: the sandbox "
				  "keeps it closed"
				: "");
	if (s->chores && s->chores->reopen)
		s->chores->reopen(s->chores);
}

static void end(struct supervisor *s, letter_fn *how)
{
	post_all(s, how);
	if (s->chores)
		s->chores->ending = true;
}

/* The first of the standard descriptors that is one. */
static int find_terminal(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

/* Whoever started the program there has gone, and the kernel says so. */
static bool is_hung_up(const struct supervisor *s)
{
	return s->terminal >= 0 && !isatty(s->terminal) && errno == EIO;
}

static void serve_hangup(struct supervisor *s)
{
	if (s->nohup && (!s->chores || !s->chores->reload))
		return;
	if (s->chores && s->chores->reload && (s->nohup || !is_hung_up(s)))
		s->chores->reload(s->chores);
	else
		end(s, s->signals++ ? deliver_quit : deliver_drain);
}

static void serve_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->waits[WAIT_SIGNAL].fd, &info, sizeof(info)) < 0)
		return;
	if (info.ssi_signo == SIGUSR1)
		ask_for_report(s);
	else if (info.ssi_signo == SIGUSR2)
		reopen(s);
	else if (info.ssi_signo == SIGHUP)
		serve_hangup(s);
	else
		end(s, s->signals++ ? deliver_quit : deliver_drain);
}

/* Some core has stopped: the others do, too. */
static void serve_end(struct supervisor *s)
{
	uint64_t n;

	if (read(s->waits[WAIT_END].fd, &n, sizeof(n)) < 0)
		return;
	if (s->ended == 0)
		end(s, deliver_stop);
	s->ended += (int)n;
}

static int run_chores(struct supervisor *s, bool last)
{
	return s->chores ? s->chores->run(s->chores, last) : -1;
}

static void supervise(struct supervisor *s)
{
	while (s->ended < s->n) {
		int wait = run_chores(s, false);

		if (s->chores && s->chores->drains && !s->chores->ending) {
			s->signals++;
			end(s, deliver_drain);
		}
		s->waits[WAIT_READER].fd = log_stuck_fd();
		if (poll(s->waits, WAITS, wait) < 0 && errno != EINTR)
			return;
		if (s->chores)
			s->chores->woken = s->waits[WAIT_CHORES].revents;
		if (s->waits[WAIT_SIGNAL].revents & POLLIN)
			serve_signal(s);
		if (s->waits[WAIT_LOG].revents || s->waits[WAIT_READER].revents)
			log_drain();
		if (s->waits[WAIT_END].revents & POLLIN)
			serve_end(s);
	}
}

int core_supervise(struct core *const *cores, int n, struct core_chores *chores)
{
	struct supervisor s = {
		.cores = cores, .chores = chores, .terminal = find_terminal()
	};
	int rc = 0, end = eventfd(0, EFD_CLOEXEC);
	struct sigaction hangup;
	sigset_t set;

	s.nohup = sigaction(SIGHUP, NULL, &hangup) == 0 &&
		  hangup.sa_handler == SIG_IGN;
	signal_set(&set);
	s.waits[WAIT_SIGNAL].fd = signalfd(-1, &set, SFD_CLOEXEC);
	s.waits[WAIT_LOG].fd = log_wakeup_fd();
	s.waits[WAIT_END].fd = end;
	s.waits[WAIT_CHORES].fd = chores ? chores->fd : -1;
	for (int i = 0; i < WAITS; i++)
		s.waits[i].events = i == WAIT_READER ? POLLOUT : POLLIN;
	/* The first time, before a thread does it: heap.h. */
	heap_trim();
	for (; s.n < n; s.n++) {
		struct core *c = cores[s.n];

		c->end = end;
		if (pthread_create(&c->thread, NULL, thread_main, c) == 0)
			continue;
		log_error("thread %d of %d cannot be started", s.n + 1, n);
		rc = 1;
		post_all(&s, deliver_quit);
		break;
	}
	log_hurry(true);
	supervise(&s);
	for (int i = 0; i < s.n; i++) {
		pthread_join(cores[i]->thread, NULL);
		if (cores[i]->exit_code > rc)
			rc = cores[i]->exit_code;
	}
	log_hurry(false);
	run_chores(&s, true);
	log_drain();
	close(s.waits[WAIT_SIGNAL].fd);
	close(end);
	return rc;
}
