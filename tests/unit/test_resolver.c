/* SPDX-License-Identifier: Apache-2.0 */

/* Names to addresses on other threads, some of which are held up. */
// links: common/event/resolver.c common/event/name_server.c common/event/mailbox.c common/event/epoll.c common/event/epoll_place.c common/event/epoll_try.c common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_right.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/base/address.c common/event/send.c
// libs: -luring -lcares

#include "common/event/resolver.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/event/backend.h"

static struct counters counters;
static struct resolver *resolver;
static struct mailbox box;
static struct loop *loop;
static struct resolver_answer last;
static struct handle asker;
static int answers;

/* --- a system that does not answer for names that begin with "slow" --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asked, held;
static bool released;

typedef int getaddrinfo_fn(const char *host, const char *service,
	const struct addrinfo *hints, struct addrinfo **list);

int getaddrinfo(const char *host, const char *service,
	const struct addrinfo *hints, struct addrinfo **list)
{
	getaddrinfo_fn *real;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	pthread_mutex_lock(&lock);
	asked++;
	if (!strncmp(host, "slow", 4)) {
		held++;
		pthread_cond_broadcast(&changed);
		while (!released)
			pthread_cond_wait(&changed, &lock);
		held--;
		pthread_cond_broadcast(&changed);
		host = "127.0.0.9";
	}
	pthread_mutex_unlock(&lock);
	return real(host, service, hints, list);
}

/* Wait until so many threads are in a look-up that does not end. */
static void await_held(int n)
{
	pthread_mutex_lock(&lock);
	while (held != n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void release(void)
{
	pthread_mutex_lock(&lock);
	released = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static int times_asked(void)
{
	int n;

	pthread_mutex_lock(&lock);
	n = asked;
	pthread_mutex_unlock(&lock);
	return n;
}

/* --- who asks --- */

static void answered(struct mailbox *m, struct letter *letter)
{
	struct resolution *r = container_of(letter, struct resolution, letter);

	cr_assert_eq(m, &box);
	last = r->answer;
	asker = r->asker;
	answers++;
}

static void begin(const struct backend *backend)
{
	struct loop_params params = { .ops = 8,
		.chunk_size = 1024,
		.chunks_soft = 4,
		.chunks_hard = 8,
		.counters = &counters };
	int rc = loop_create(&loop, backend, &params);

	if (rc == -ENOSYS)
		cr_skip_test("no io_uring here");
	cr_assert_eq(rc, 0);
	cr_assert_eq(loop_enter(loop), 0);
	cr_assert_eq(mailbox_init(&box), 0);
	mailbox_start(&box, loop);
	cr_assert_eq(resolver_create(&resolver, ""), 0);
}

static void end(void)
{
	resolver_destroy(&resolver);
	mailbox_stop(&box);
	while (loop->in_flight > 0)
		loop_turn(loop);
	mailbox_destroy(&box);
	loop_destroy(&loop);
}

static struct resolver_question question(const char *host)
{
	return (struct resolver_question){ .host = host,
		.port = 80,
		.until = clock_now() + 60 * CLOCK_SECOND,
		.reply_to = &box,
		.deliver = answered,
		.asker = { 3, 4 } };
}

static void ask(const char *host)
{
	struct resolver_question q = question(host);

	cr_assert_eq(resolver_ask(resolver, &q), 0);
}

static void ask_urgently(const char *host)
{
	struct resolver_question q = question(host);

	q.urgent = true;
	cr_assert_eq(resolver_ask(resolver, &q), 0);
}

static void await_answers(int n)
{
	while (answers < n)
		loop_turn(loop);
	cr_assert_eq(answers, n);
}

static void literals_names_and_nonsense(const struct backend *backend)
{
	static const struct {
		const char *host;
		bool found;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "::1", true },
		{ "localhost", true },
		{ "localhost", true },
		{ "name.invalid", false },
		{ "a b", false },
	};

	begin(backend);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ask(rows[i].host);
		await_answers((int)i + 1);
		cr_assert_eq(!last.error, rows[i].found, "%s: %s", rows[i].host,
			last.error);
		cr_assert_eq(last.count > 0, rows[i].found);
		cr_assert_eq(asker.index, 3);
		if (rows[i].found)
			cr_assert_eq(address_port(&last.addresses[0]), 80);
	}
	end();
}

Test(resolver, literals_names_and_nonsense_on_io_uring)
{
	literals_names_and_nonsense(&backend_ring);
}

Test(resolver, literals_names_and_nonsense_on_epoll)
{
	literals_names_and_nonsense(&backend_epoll);
}

Test(resolver, a_name_without_an_answer_holds_up_no_other)
{
	begin(&backend_epoll);
	ask("slow.test");
	ask("slow.test");
	await_held(1);
	ask("127.0.0.1");
	await_answers(1);
	release();
	await_answers(3);
	cr_assert_eq(times_asked(), 2);
	cr_assert(!last.error);
	end();
}

Test(resolver, the_urgent_go_before_all_others)
{
	begin(&backend_epoll);
	ask("slow1.test");
	ask("slow2.test");
	ask("slow3.test");
	await_held(3);
	/* One thread is left, and not for these. */
	ask("slow4.test");
	ask("127.0.0.2");
	ask_urgently("127.0.0.1");
	await_answers(1);
	await_held(3);
	/* What waited becomes urgent with who asks for the same. */
	ask_urgently("127.0.0.2");
	await_answers(3);
	await_held(3);
	release();
	await_answers(7);
	end();
}

Test(resolver, who_has_given_up_is_not_asked_for)
{
	struct resolver_question q = question("127.0.0.2");

	begin(&backend_epoll);
	ask("slow1.test");
	ask("slow2.test");
	ask("slow3.test");
	await_held(3);
	q.until = clock_now();
	cr_assert_eq(resolver_ask(resolver, &q), 0);
	ask("127.0.0.1");
	release();
	await_answers(4);
	cr_assert_eq(times_asked(), 4);
	end();
}

Test(resolver, a_failure_is_known_for_a_while_but_not_to_the_urgent)
{
	begin(&backend_epoll);
	ask("a b");
	await_answers(1);
	ask("a b");
	await_answers(2);
	cr_assert(last.error);
	cr_assert_eq(times_asked(), 1);
	ask_urgently("a b");
	await_answers(3);
	cr_assert_eq(times_asked(), 2);
	end();
}

Test(resolver, it_ends_in_the_middle_of_a_look_up)
{
	begin(&backend_epoll);
	ask("slow.test");
	ask("slow.test");
	await_held(1);
	end();
	cr_assert_eq(answers, 0);
	release();
	/* The thread ends by itself, and frees what was left to it. */
	await_held(0);
}
