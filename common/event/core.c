/* SPDX-License-Identifier: Apache-2.0 */

#include "common/event/core.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/event/backend.h"

/* What the main thread waits for. */
enum {
	WAIT_SIGNAL,
	WAIT_LOG,
	WAIT_END,
	WAITS
};

struct supervisor {
	struct core *core;
	struct pollfd waits[WAITS];
	int signals; /* to end that were seen */
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
	c->ops->quit(c);
}

static void deliver_report(struct mailbox *m, struct letter *letter)
{
	struct core *c = container_of(m, struct core, mailbox);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)letter;
	if (!f)
		return;
	fputs("counters", f);
	counters_print(&c->counters, f);
	fprintf(f, " pool_buffers=%u pool_operations=%u",
		chunk_pool_used(c->loop->chunks), c->loop->in_flight);
	c->ops->report(c, f);
	if (fclose(f) == 0)
		log_long(LOG_INFO, text);
	free(text);
}

/* The signals that the main thread takes, and no other. */
static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGUSR1);
}

int core_create(
	struct core *c, const struct core_ops *ops, struct loop_params *params)
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
	rc = loop_create(&c->loop, &backend_ring, params);
	if (rc < 0) {
		log_error("io_uring cannot be set up: %s; %s", strerror(-rc),
			backend_ring_hint(-rc));
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
		log_error("io_uring cannot be enabled: %s", strerror(-rc));
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

struct thread_args {
	struct core *core;
	int end;
};

static void *thread_main(void *arg)
{
	struct thread_args *a = arg;
	uint64_t one = 1;

	if (log_attach() < 0)
		log_error("no memory for the log");
	run(a->core);
	if (write(a->end, &one, sizeof(one)) < 0)
		abort();
	return NULL;
}

static void post(struct core *c, letter_fn *deliver)
{
	struct letter *l = malloc(sizeof(*l));

	if (l)
		mailbox_post(&c->mailbox, l, deliver);
}

static void serve_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->waits[WAIT_SIGNAL].fd, &info, sizeof(info)) < 0)
		return;
	if (info.ssi_signo == SIGUSR1)
		post(s->core, deliver_report);
	else
		post(s->core, s->signals++ ? deliver_quit : deliver_drain);
}

static void wait_for_end(struct supervisor *s)
{
	while (!(s->waits[WAIT_END].revents & POLLIN)) {
		if (poll(s->waits, WAITS, -1) < 0 && errno != EINTR)
			return;
		if (s->waits[WAIT_SIGNAL].revents & POLLIN)
			serve_signal(s);
		if (s->waits[WAIT_LOG].revents & POLLIN)
			log_drain();
	}
}

int core_supervise(struct core *c)
{
	struct supervisor s = { .core = c };
	struct thread_args args = { .core = c };
	sigset_t set;

	signal_set(&set);
	args.end = eventfd(0, EFD_CLOEXEC);
	s.waits[WAIT_SIGNAL].fd = signalfd(-1, &set, SFD_CLOEXEC);
	s.waits[WAIT_LOG].fd = log_wakeup_fd();
	s.waits[WAIT_END].fd = args.end;
	for (int i = 0; i < WAITS; i++)
		s.waits[i].events = POLLIN;
	if (pthread_create(&c->thread, NULL, thread_main, &args) != 0) {
		log_error("the worker thread cannot be started");
		return 1;
	}
	wait_for_end(&s);
	pthread_join(c->thread, NULL);
	log_drain();
	close(s.waits[WAIT_SIGNAL].fd);
	close(args.end);
	return c->exit_code;
}
