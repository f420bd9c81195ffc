/* SPDX-License-Identifier: Apache-2.0 */

#include "client/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client/own_files.h"
#include "client/screen.h"
#include "client/work.h"
#include "common/base/log.h"

/* The first tells another worker to make a work connection. */
struct wanted_letter {
	struct letter letter;
	struct crew *crew;
	struct session session;
	bool ticketed;
	struct work_ticket ticket;
};

/* Idle work connections that an aditd keeps at most, by its default. */
#define IDLE_MAX 256

/* As many descriptors as we may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int make_clients(
	struct crew *c, const struct settings *s, uint32_t count)
{
	const struct backend *backend =
		core_choose_backend((enum backend_choice)s->backend);
	int rc = 0;

	c->clients = calloc(count, sizeof(struct client *));
	while (rc == 0 && c->count < count) {
		struct client *new =
			c->clients ? calloc(1, sizeof(*new)) : NULL;

		if (!new) {
			log_error("no memory for the workers");
			return -ENOMEM;
		}
		c->clients[c->count++] = new;
		rc = client_create(new, s, count, backend);
		new->crew = c;
		if (c->trust.tls)
			new->tls = tls_context_ref(c->trust.tls);
	}
	return rc;
}

uint32_t crew_work_limit(const struct settings *s)
{
	/* Beyond poolCount a server keeps transport.workPool.max, at most. */
	int64_t idle = s->pool_count > IDLE_MAX ? s->pool_count : IDLE_MAX;

	return (uint32_t)(s->max_visitors + idle);
}

int crew_create(struct crew *c, const struct settings *s,
	crew_announced_fn *announced, void *arg)
{
	uint32_t count = (uint32_t)s->workers;
	const char *reason;
	int rc;

	memset(c, 0, sizeof(*c));
	c->first = s;
	c->settings = settings_hold(s);
	c->announced = announced;
	c->announced_arg = arg;
	c->works.limit = crew_work_limit(s);
	raise_descriptor_limit();
	/* The settings have checked it. */
	if (*s->proxy_url &&
		gateway_parse(&c->gateway, s->proxy_url, &reason)) {
		log_error("transport.proxyURL: %s", reason);
		return -EINVAL;
	}
	if (trust_is_asked(s) && !*s->client_id)
		client_id_open(&c->id);
	rc = trust_open(&c->trust, s);
	if (rc == 0)
		rc = make_clients(c, s, count);
	if (rc == 0) {
		c->clients[0]->first = true;
		c->proxies = proxy_table_make(c->clients[0], s, NULL);
		rc = c->proxies ? 0 : -ENOMEM;
		if (rc < 0)
			log_error("no memory for the proxies");
		for (uint32_t i = 0; rc == 0 && i < count; i++)
			c->clients[i]->proxies = proxy_table_hold(c->proxies);
	}
	/*
	 * After the cores, whose signals its thread must not take; it has no
	 * more rights than this one.
	 */
	if (rc == 0) {
		sandbox_open(&c->sandbox, SYSCALLS_ADIT, s->sandbox);
		own_files_allow(&c->sandbox, s);
		sandbox_enter(&c->sandbox, PRIVILEGES_NONE);
		rc = resolver_create(&c->resolver, s->dns_server);
		if (rc < 0)
			log_error("resolver: %s", strerror(-rc));
	}
	if (rc < 0)
		crew_destroy(c);
	return rc;
}

int crew_watch(struct crew *c, struct screen *screen)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < c->count; i++) {
		struct journal *j = screen_journal(screen);

		rc = j ? client_watch(c->clients[i], j) : -ENOMEM;
	}
	return rc;
}

static int run_chores(struct core_chores *chores, bool last)
{
	struct crew *c = container_of(chores, struct crew, chores);

	int wait;

	trust_look(&c->trust, last);
	wait = host_look(&c->host, atomic_load(&c->in_service), chores);
	if (!last && reload_look(&c->reload, c) == 0)
		return 0;
	return wait;
}

static void reload_config(struct core_chores *chores)
{
	container_of(chores, struct crew, chores)->reload.asked = true;
}

void crew_follow(struct crew *c, const char *file)
{
	c->reload.file = file;
}

int crew_run(struct crew *c)
{
	struct core **cores = calloc(c->count, sizeof(struct core *));
	int rc;

	if (!cores)
		return 1;
	for (uint32_t i = 0; i < c->count; i++)
		cores[i] = &c->clients[i]->core;
	rc = host_open(&c->host, cores, (int)c->count);
	if (rc < 0) {
		log_error("what the main thread waits for: %s", strerror(-rc));
		rc = 1;
	} else {
		/* Who may go on without a server is there without it. */
		c->host.sandbox = &c->sandbox;
		c->in_service = !c->clients[0]->settings->login_fail_exit;
		c->chores = (struct core_chores){ .fd = c->host.fd,
			.run = run_chores,
			.reload = c->reload.file ? reload_config : NULL };
		rc = core_supervise(cores, (int)c->count, &c->chores);
	}
	host_close(&c->host);
	free(cores);
	return rc;
}

void crew_destroy(struct crew *c)
{
	/* It posts to the cores' mailboxes. */
	resolver_destroy(&c->resolver);
	for (uint32_t i = c->count; i > 0; i--) {
		client_destroy(c->clients[i - 1]);
		free(c->clients[i - 1]);
	}
	free(c->clients);
	proxy_table_drop(&c->proxies);
	settings_free(&c->settings);
	trust_close(&c->trust);
	client_id_close(&c->id);
	explicit_bzero(c, sizeof(*c));
}

static void deliver_wanted(struct mailbox *m, struct letter *letter)
{
	struct client *c = client_of_mailbox(m);
	struct wanted_letter *l = (struct wanted_letter *)letter;

	c->session = l->session;
	work_open(c, l->ticketed ? &l->ticket : NULL);
	session_keys_wipe(&l->session);
}

static void discard_wanted(struct letter *letter)
{
	struct wanted_letter *l = (struct wanted_letter *)letter;

	quota_give(&l->crew->works);
	session_keys_wipe(&l->session);
}

/* In the log once a second: a server may ask for as many as it likes. */
static void tell_full(struct crew *c)
{
	struct client *first = c->clients[0];

	first->core.counters.ended[REASON_limit]++;
	if (clock_again(&c->tells_again, client_loop(first)->now, CLOCK_SECOND))
		log_warn("limits.visitors is reached: no work connection is "
			 "made");
}

bool crew_work_wanted(struct crew *c, const struct work_ticket *ticket)
{
	struct client *first = c->clients[0];
	struct client *to = c->clients[c->next++ % c->count];
	struct wanted_letter *l;

	/* The first has the mux. */
	if (first->session.muxed)
		to = first;
	/* Before it is posted: what waits for its worker is bounded, too. */
	if (!quota_take(&c->works)) {
		tell_full(c);
		return false;
	}
	if (to == first) {
		work_open(first, ticket);
		return true;
	}
	l = letter_new(sizeof(*l));
	l->letter.discard = discard_wanted;
	l->crew = c;
	l->session = first->session;
	l->ticketed = ticket;
	if (ticket)
		l->ticket = *ticket;
	mailbox_post(&to->core.mailbox, &l->letter, deliver_wanted);
	return true;
}

void crew_logged_in(struct crew *c)
{
	atomic_store(&c->in_service, true);
	host_wake(&c->host);
}

static void deliver_lost(struct mailbox *m, struct letter *letter)
{
	(void)letter;
	works_lost(client_of_mailbox(m), true);
}

static void deliver_left(struct mailbox *m, struct letter *letter)
{
	(void)letter;
	works_lost(client_of_mailbox(m), false);
}

void crew_session_lost(struct crew *c, bool cut)
{
	works_lost(c->clients[0], cut);
	for (uint32_t i = 1; i < c->count; i++)
		mailbox_post(&c->clients[i]->core.mailbox,
			letter_new(sizeof(struct letter)),
			cut ? deliver_lost : deliver_left);
}

void crew_count_busy(struct crew *c, int change)
{
	atomic_fetch_add(&c->busy, (uint32_t)change);
}

uint32_t crew_busy(struct crew *c)
{
	return atomic_load(&c->busy);
}
