/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A few threads that may be held up for long. Under one lock: the names that
 * wait for a thread, those that are being looked up, and a small cache.
 */

#include "common/event/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/event/name_server.h"

#define LOOKERS 4
#define NAMES_MAX 1024
#define ASKERS_MAX 16384
#define CACHE_SIZE 64
#define CACHE_TIME (30 * CLOCK_SECOND)
#define FAILURE_TIME (3 * CLOCK_SECOND)

/* A question on its way to be a struct resolution. */
struct asked {
	struct resolution out; /* first: it is the letter */
	struct mailbox *reply_to;
	letter_fn *deliver;
	uint16_t port;
	/* The others that ask for the name; of the first: */
	struct asked *same;
	int askers;
	struct list link; /* while it waits */
	bool urgent;      /* one of them is */
	int64_t until;    /* the latest */
	char host[ADDRESS_HOST_SIZE];
};

/* What came of a name. */
struct known {
	int64_t until;
	char host[ADDRESS_HOST_SIZE];
	struct resolver_answer answer;
};

/* One of the threads. */
struct looker {
	struct resolver *resolver;
	pthread_t thread;
	struct name_server *name_server; /* its own; NULL: the system's */
	struct asked *asked; /* what is being looked up; NULL: it waits */
};

struct resolver {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct looker lookers[LOOKERS]; /* the first: for urgent ones only */
	int started;
	/* The lookers, which may still be in a look-up, and the owner. */
	int holders;
	bool stopping;
	struct list waiting; /* the first question for each name */
	int names;           /* in it */
	struct known cache[CACHE_SIZE];
	int oldest;
};

static struct asked *asked_of(struct list *link)
{
	return container_of(link, struct asked, link);
}

/* --- answers --- */

static void set_port(struct resolver_answer *answer, uint16_t port)
{
	for (int i = 0; i < answer->count; i++) {
		struct address *a = &answer->addresses[i];

		if (a->any.sa_family == AF_INET6)
			a->v6.sin6_port = htons(port);
		else
			a->v4.sin_port = htons(port);
	}
}

static void tell(struct asked *q, const struct resolver_answer *answer)
{
	q->out.answer = *answer;
	set_port(&q->out.answer, q->port);
	mailbox_post(q->reply_to, &q->out.letter, q->deliver);
}

static void tell_all(struct asked *q, const struct resolver_answer *answer)
{
	while (q) {
		struct asked *next = q->same;

		tell(q, answer);
		q = next;
	}
}

static void forget_all(struct asked *q)
{
	while (q) {
		struct asked *next = q->same;

		free(q);
		q = next;
	}
}

/* What is known of the host, also if it is too old; or NULL. */
static struct known *find_known(struct resolver *r, const char *host)
{
	for (int i = 0; i < CACHE_SIZE; i++)
		if (!strcmp(r->cache[i].host, host))
			return &r->cache[i];
	return NULL;
}

static bool from_cache(struct resolver *r, struct asked *q)
{
	const struct known *k = find_known(r, q->host);

	if (!k || k->until < clock_now() || (k->answer.error && q->urgent))
		return false;
	tell(q, &k->answer);
	return true;
}

static void to_cache(struct resolver *r, const char *host,
	const struct resolver_answer *answer)
{
	struct known *k = find_known(r, host);

	if (!k)
		k = &r->cache[r->oldest++ % CACHE_SIZE];
	k->until = clock_now() + (answer->error ? FAILURE_TIME : CACHE_TIME);
	snprintf(k->host, sizeof(k->host), "%s", host);
	k->answer = *answer;
}

/* --- a thread --- */

static void ask_system(const char *host, struct resolver_answer *out)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, NULL, &hints, &list);

	if (error) {
		out->error = gai_strerror(error);
		return;
	}
	for (struct addrinfo *i = list; i; i = i->ai_next) {
		struct address *a = &out->addresses[out->count];

		if (out->count == RESOLVER_ADDRESSES ||
			i->ai_addrlen > sizeof(a->v6))
			continue;
		memcpy(&a->v6, i->ai_addr, i->ai_addrlen);
		a->size = i->ai_addrlen;
		out->count++;
	}
	freeaddrinfo(list);
	if (out->count == 0)
		out->error = gai_strerror(EAI_NONAME);
}

static void look_up(
	struct looker *k, const char *host, struct resolver_answer *out)
{
	memset(out, 0, sizeof(*out));
	if (k->name_server)
		out->count = name_server_ask(k->name_server, host,
			out->addresses, RESOLVER_ADDRESSES, &out->error);
	else
		ask_system(host, out);
}

/*
 * What this thread is to look up, the urgent first; NULL: nothing. Whose
 * askers have all given up goes.
 */
static struct asked *choose(struct looker *k)
{
	struct resolver *r = k->resolver;
	struct asked *best = NULL;

	list_each_safe (l, &r->waiting) {
		struct asked *q = asked_of(l);

		if (q->until <= clock_now()) {
			list_remove(l);
			r->names--;
			forget_all(q);
		} else if (!best || (q->urgent && !best->urgent)) {
			best = q;
		}
	}
	if (!best || (!best->urgent && k == &r->lookers[0]))
		return NULL;
	list_remove(&best->link);
	r->names--;
	return best;
}

/* The next one to look up; false when the resolver stops. */
static bool await(struct looker *k)
{
	struct resolver *r = k->resolver;

	while (!r->stopping && !(k->asked = choose(k)))
		pthread_cond_wait(&r->changed, &r->lock);
	return k->asked;
}

/* Unlock; the last one frees it. */
static void let_go(struct resolver *r)
{
	bool last = --r->holders == 0;

	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	for (int i = 0; i < LOOKERS; i++)
		name_server_destroy(&r->lookers[i].name_server);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void *looker_main(void *arg)
{
	struct looker *k = arg;
	struct resolver *r = k->resolver;
	struct resolver_answer answer;

	pthread_mutex_lock(&r->lock);
	while (await(k)) {
		pthread_mutex_unlock(&r->lock);
		look_up(k, k->asked->host, &answer);
		pthread_mutex_lock(&r->lock);
		if (r->stopping) {
			/* There may be no mailbox any more. */
			forget_all(k->asked);
		} else {
			to_cache(r, k->asked->host, &answer);
			tell_all(k->asked, &answer);
		}
		k->asked = NULL;
	}
	let_go(r);
	return NULL;
}

/* --- its owner --- */

static int looker_start(
	struct resolver *r, struct looker *k, const char *dns_server)
{
	int rc = 0;

	k->resolver = r;
	if (*dns_server)
		rc = name_server_create(&k->name_server, dns_server);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&r->lock);
	rc = -pthread_create(&k->thread, NULL, looker_main, k);
	if (rc == 0) {
		r->started++;
		r->holders++;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

int resolver_create(struct resolver **r_r, const char *dns_server)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int rc = 0;

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	list_init(&r->waiting);
	r->holders = 1;
	for (int i = 0; rc == 0 && i < LOOKERS; i++)
		rc = looker_start(r, &r->lookers[i], dns_server);
	if (rc < 0) {
		resolver_destroy(&r);
		return rc;
	}
	*r_r = r;
	return 0;
}

void resolver_destroy(struct resolver **rp)
{
	struct resolver *r = *rp;
	bool waits[LOOKERS] = { false };
	struct list *l;

	if (!r)
		return;
	*rp = NULL;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	while ((l = list_take(&r->waiting)))
		forget_all(asked_of(l));
	/* Who is in a look-up may be so for long, and owns what it touches. */
	for (int i = 0; i < r->started; i++) {
		waits[i] = !r->lookers[i].asked;
		if (!waits[i])
			pthread_detach(r->lookers[i].thread);
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	for (int i = 0; i < LOOKERS; i++)
		if (waits[i])
			pthread_join(r->lookers[i].thread, NULL);
	pthread_mutex_lock(&r->lock);
	let_go(r);
}

/* --- who asks --- */

/* The first that has asked for the host, if it has no answer yet. */
static struct asked *find_asked(struct resolver *r, const char *host)
{
	for (int i = 0; i < r->started; i++) {
		struct asked *q = r->lookers[i].asked;

		if (q && !strcmp(q->host, host))
			return q;
	}
	list_each (l, &r->waiting)
		if (!strcmp(asked_of(l)->host, host))
			return asked_of(l);
	return NULL;
}

/* Wait with the first one for the same answer. */
static int join(struct resolver *r, struct asked *first, struct asked *q)
{
	if (first->askers == ASKERS_MAX)
		return -EAGAIN;
	first->askers++;
	q->same = first->same;
	first->same = q;
	if (q->until > first->until)
		first->until = q->until;
	if (q->urgent && !first->urgent)
		pthread_cond_broadcast(&r->changed);
	first->urgent |= q->urgent;
	return 0;
}

static int enqueue(struct resolver *r, struct asked *q)
{
	if (r->names == NAMES_MAX && !q->urgent)
		return -EAGAIN;
	q->askers = 1;
	list_append(&r->waiting, &q->link);
	r->names++;
	pthread_cond_broadcast(&r->changed);
	return 0;
}

int resolver_ask(struct resolver *r, const struct resolver_question *question)
{
	struct asked *q = calloc(1, sizeof(*q)), *first;
	int rc = 0;

	if (!q)
		return -ENOMEM;
	snprintf(q->host, sizeof(q->host), "%s", question->host);
	q->out.asker = question->asker;
	q->port = question->port;
	q->urgent = question->urgent;
	q->until = question->until;
	q->reply_to = question->reply_to;
	q->deliver = question->deliver;
	pthread_mutex_lock(&r->lock);
	first = find_asked(r, q->host);
	if (first)
		rc = join(r, first, q);
	else if (!from_cache(r, q))
		rc = enqueue(r, q);
	pthread_mutex_unlock(&r->lock);
	if (rc < 0)
		free(q);
	return rc;
}
