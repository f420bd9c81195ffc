/* SPDX-License-Identifier: Apache-2.0 */

/* One thread, one queue under a lock, one small cache that only it touches. */

#include "common/event/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/event/name_server.h"

#define QUEUE_MAX 1024
#define CACHE_SIZE 64
#define CACHE_TIME (30 * CLOCK_SECOND)

struct answer {
	int64_t until;
	char host[ADDRESS_HOST_SIZE];
	int count;
	struct address addresses[RESOLVER_ADDRESSES];
};

struct resolver {
	pthread_t thread;
	pthread_mutex_t lock; /* of queue, queued, stopping */
	pthread_cond_t filled;
	struct resolution *head, *tail;
	int queued;
	bool stopping;
	struct name_server *name_server; /* the thread's; NULL: the system's */
	struct answer cache[CACHE_SIZE]; /* the thread's */
	int oldest;
};

static struct resolution *next_of(struct resolution *q)
{
	return (struct resolution *)(void *)q->letter.next;
}

/* The next question; NULL when the resolver stops. */
static struct resolution *take(struct resolver *r)
{
	struct resolution *q = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->head && !r->stopping)
		pthread_cond_wait(&r->filled, &r->lock);
	if (!r->stopping) {
		q = r->head;
		r->head = next_of(q);
		r->queued--;
	}
	pthread_mutex_unlock(&r->lock);
	return q;
}

static void set_port(struct resolution *q)
{
	for (int i = 0; i < q->count; i++) {
		struct address *a = &q->addresses[i];

		if (a->any.sa_family == AF_INET6)
			a->v6.sin6_port = htons(q->port);
		else
			a->v4.sin_port = htons(q->port);
	}
}

static bool from_cache(struct resolver *r, struct resolution *q)
{
	for (int i = 0; i < CACHE_SIZE; i++) {
		struct answer *a = &r->cache[i];

		if (a->until < clock_now() || strcmp(a->host, q->host) != 0)
			continue;
		q->count = a->count;
		memcpy(q->addresses, a->addresses, sizeof(a->addresses));
		return true;
	}
	return false;
}

static void to_cache(struct resolver *r, const struct resolution *q)
{
	struct answer *a = &r->cache[r->oldest++ % CACHE_SIZE];

	a->until = clock_now() + CACHE_TIME;
	snprintf(a->host, sizeof(a->host), "%s", q->host);
	a->count = q->count;
	memcpy(a->addresses, q->addresses, sizeof(a->addresses));
}

static void ask_system(struct resolution *q)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(q->host, NULL, &hints, &list);

	if (error) {
		q->error = gai_strerror(error);
		return;
	}
	for (struct addrinfo *i = list; i; i = i->ai_next) {
		struct address *a = &q->addresses[q->count];

		if (q->count == RESOLVER_ADDRESSES ||
			i->ai_addrlen > sizeof(a->v6))
			continue;
		memcpy(&a->v6, i->ai_addr, i->ai_addrlen);
		a->size = i->ai_addrlen;
		q->count++;
	}
	freeaddrinfo(list);
	if (q->count == 0)
		q->error = gai_strerror(EAI_NONAME);
}

static void look_up(struct resolver *r, struct resolution *q)
{
	if (r->name_server)
		q->count = name_server_ask(r->name_server, q->host,
			q->addresses, RESOLVER_ADDRESSES, &q->error);
	else
		ask_system(q);
}

static void *resolver_main(void *arg)
{
	struct resolver *r = arg;
	struct resolution *q;

	while ((q = take(r))) {
		if (!from_cache(r, q)) {
			look_up(r, q);
			if (!q->error)
				to_cache(r, q);
		}
		set_port(q);
		mailbox_post(q->reply_to, &q->letter, q->deliver);
	}
	return NULL;
}

int resolver_create(struct resolver **r_r, const char *dns_server)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	rc = *dns_server ? name_server_create(&r->name_server, dns_server) : 0;
	if (rc < 0) {
		free(r);
		return rc;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->filled, NULL);
	rc = pthread_create(&r->thread, NULL, resolver_main, r);
	if (rc != 0) {
		name_server_destroy(&r->name_server);
		free(r);
		return -rc;
	}
	*r_r = r;
	return 0;
}

void resolver_destroy(struct resolver **rp)
{
	struct resolver *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	while (r->head) {
		struct resolution *q = r->head;

		r->head = next_of(q);
		free(q);
	}
	name_server_destroy(&r->name_server);
	pthread_cond_destroy(&r->filled);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int resolver_ask(struct resolver *r, const char *host, uint16_t port,
	struct mailbox *reply_to, letter_fn *deliver, struct handle asker)
{
	struct resolution *q = calloc(1, sizeof(*q));
	int rc = -EAGAIN;

	if (!q)
		return -ENOMEM;
	snprintf(q->host, sizeof(q->host), "%s", host);
	q->port = port;
	q->reply_to = reply_to;
	q->deliver = deliver;
	q->asker = asker;
	pthread_mutex_lock(&r->lock);
	if (r->queued < QUEUE_MAX) {
		if (r->head)
			r->tail->letter.next = &q->letter;
		else
			r->head = q;
		r->tail = q;
		r->queued++;
		pthread_cond_signal(&r->filled);
		rc = 0;
	}
	pthread_mutex_unlock(&r->lock);
	if (rc < 0)
		free(q);
	return rc;
}
