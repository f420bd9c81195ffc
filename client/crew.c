/* SPDX-License-Identifier: Apache-2.0 */

#include "client/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client/joined.h"
#include "client/screen.h"
#include "client/work.h"
#include "common/base/cpus.h"
#include "common/base/log.h"

/* The first tells another worker to make a work connection. */
struct wanted_letter {
	struct letter letter;
	struct session session;
	bool ticketed;
	uint8_t ticket[TICKET_SIZE];
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
		rc = client_create(new, s, count);
		new->crew = c;
	}
	return rc;
}

/* What all links to the server ask of TLS. */
static int make_tls(struct crew *c, const struct settings *s)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct tls_client_terms terms = { .min = TLS_1_2,
		.max = TLS_1_3,
		.alpn = s->extensions ? TLS_ALPN_OFFERED : TLS_ALPN_SILENT };
	struct certificate *own = NULL;
	struct pin pins[PINS_MAX];

	if (!s->tls_enable)
		return 0;
	if (*s->tls_ca_file)
		terms.trusted_ca = s->tls_ca_file;
	for (size_t i = 0; i < s->tls_pins.n; i++)
		/* The settings have checked them. */
		if (pin_parse(&pins[i], s->tls_pins.v[i],
			    strlen(s->tls_pins.v[i])) < 0)
			return -EINVAL;
	if (s->tls_pins.n > 0) {
		terms.pins = pins;
		terms.pins_n = s->tls_pins.n;
		terms.min = TLS_1_3;
		terms.alpn = TLS_ALPN_REQUIRED;
	}
	if (*s->tls_cert_file) {
		own = certificate_load(
			s->tls_cert_file, s->tls_key_file, error);
		terms.certificate = own;
	}
	if (own || !*s->tls_cert_file)
		c->tls = tls_context_client(&terms, error);
	certificate_free(&own);
	if (c->tls)
		return 0;
	log_error("transport.tls: %s", error);
	return -EINVAL;
}

/* The main thread's: it may take its time. */
static int keep_pins(struct core_chores *chores, bool last)
{
	struct crew *c = container_of(chores, struct crew, chores);
	const char *pins[PINS_MAX];
	int rc;

	(void)last;
	if (!atomic_load(&c->told))
		return -1;
	for (size_t i = 0; i < c->pin_count; i++)
		pins[i] = c->pins[i];
	rc = joined_renew(c->settings->join_file, pins, c->pin_count);
	if (rc < 0)
		log_warn("%s cannot be written: %s", c->settings->join_file,
			strerror(-rc));
	atomic_store(&c->told, false);
	return -1;
}

static bool same_pins(
	const struct conf_strings *known, const struct message_list *told)
{
	bool same = known->n == told->count;

	for (size_t i = 0; same && i < known->n; i++)
		same = !strcmp(known->v[i], told->items[i]);
	return same;
}

void crew_pins_told(struct crew *c, const struct message_list *pins)
{
	struct pin pin;

	if (!*c->settings->join_file || atomic_load(&c->told) ||
		pins->count == 0 || pins->count > PINS_MAX ||
		same_pins(&c->settings->tls_pins, pins))
		return;
	for (size_t i = 0; i < pins->count; i++) {
		if (pin_parse(&pin, pins->items[i], strlen(pins->items[i])) < 0)
			return;
		pin_write(c->pins[i], &pin);
	}
	c->pin_count = pins->count;
	atomic_store(&c->told, true);
	/* The line wakes the main thread, too. */
	log_info("the server's pins have changed: they are kept");
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
	uint32_t count = s->workers > 0 ? (uint32_t)s->workers
					: (uint32_t)cpus_available("");
	struct client *first;
	const char *reason;
	int rc;

	memset(c, 0, sizeof(*c));
	c->settings = s;
	c->chores = (struct core_chores){ .fd = -1, .run = keep_pins };
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
	rc = make_tls(c, s);
	if (rc == 0)
		rc = make_clients(c, s, count);
	if (rc == 0) {
		first = c->clients[0];
		first->first = true;
		rc = proxies_create(first);
		if (rc < 0)
			log_error("no memory for the proxies");
		for (uint32_t i = 1; rc == 0 && i < count; i++) {
			c->clients[i]->proxies = first->proxies;
			c->clients[i]->proxy_count = first->proxy_count;
		}
	}
	/* After the cores, whose signals its thread must not take. */
	if (rc == 0) {
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

int crew_run(struct crew *c)
{
	struct core **cores = calloc(c->count, sizeof(struct core *));
	int rc;

	if (!cores)
		return 1;
	for (uint32_t i = 0; i < c->count; i++)
		cores[i] = &c->clients[i]->core;
	rc = core_supervise(cores, (int)c->count, &c->chores);
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
	tls_context_unref(&c->tls);
	explicit_bzero(c, sizeof(*c));
}

static void deliver_wanted(struct mailbox *m, struct letter *letter)
{
	struct client *c = client_of_mailbox(m);
	const struct wanted_letter *l = (struct wanted_letter *)letter;

	c->session = l->session;
	work_open(c, l->ticketed ? l->ticket : NULL);
}

void crew_work_wanted(struct crew *c, const uint8_t *ticket)
{
	struct client *first = c->clients[0];
	struct client *to = c->clients[c->next++ % c->count];
	struct wanted_letter *l;

	/* The first has the mux. */
	if (first->session.muxed)
		to = first;
	if (to == first) {
		work_open(first, ticket);
		return;
	}
	l = letter_new(sizeof(*l));
	l->session = first->session;
	l->ticketed = ticket;
	if (ticket)
		memcpy(l->ticket, ticket, sizeof(l->ticket));
	mailbox_post(&to->core.mailbox, &l->letter, deliver_wanted);
}

static void deliver_lost(struct mailbox *m, struct letter *letter)
{
	(void)letter;
	works_lost(client_of_mailbox(m));
}

void crew_session_lost(struct crew *c)
{
	works_lost(c->clients[0]);
	for (uint32_t i = 1; i < c->count; i++)
		mailbox_post(&c->clients[i]->core.mailbox,
			letter_new(sizeof(struct letter)), deliver_lost);
}

void crew_count_busy(struct crew *c, int change)
{
	atomic_fetch_add(&c->busy, (uint32_t)change);
}

uint32_t crew_busy(struct crew *c)
{
	return atomic_load(&c->busy);
}
