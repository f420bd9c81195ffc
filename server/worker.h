/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A worker is a core that serves: its listeners, controls, proxies, work
 * connections and visitors, each of them the worker's for life. Other threads
 * reach it by letters only.
 */

#ifndef ADIT_SERVER_WORKER_H
#define ADIT_SERVER_WORKER_H

#include "common/base/pool.h"
#include "common/event/core.h"
#include "common/http/date.h"
#include "common/http/head.h"
#include "common/relay/carrier.h"
#include "common/relay/farewell.h"
#include "common/relay/mux.h"
#include "common/relay/parking.h"
#include "server/registry/claim.h"
#include "server/registry/directory.h"
#include "server/server.h"
#include "server/http/service.h"
#include "server/upgrade/seeing_off.h"
#include "server/upgrade/yielding.h"

struct access_ring;
struct listener;

/* Bytes of a buffer, its headroom included. */
#define WORKER_CHUNK_SIZE 16384

struct worker {
	struct core core;
	struct server *server;
	struct settings *settings; /* held; those it goes by now */
	uint32_t index;            /* in the server's workers */
	struct directory directory;
	struct farewells farewells;
	struct carriers carriers;
	struct parking parking; /* of visitors */
	struct services services;
	struct http_head head; /* for who parses one, until it returns */
	struct head_limits requests, responses; /* what heads may be */
	struct http_date date;
	uint64_t request_ids;       /* the series of their names */
	struct access_ring *access; /* for the access log; NULL: off */
	struct page *page;          /* custom404Page; held; NULL: none */
	struct keyring *keyring;    /* held */
	struct users *users;        /* held; NULL: none */
	struct muxes muxes;
	struct list sessions; /* connections that carry many streams */
	struct list controls; /* live ones */
	/* Connections without a first message yet: those that may say it, those
	 * whose first words are not all there, and those that wait for room. */
	struct list greetings, strangers, queue;
	uint32_t stranger_count, queue_length;
	uint32_t stream_greetings; /* of streams of sessions */
	int64_t complains_again;   /* greetings' log, clock.h */
	struct timer admit_timer;  /* while some wait */
	struct list works;         /* idle work connections that are here */
	struct list visitors;      /* all */
	/* NULL: closed, or none. */
	struct listener *control_port, *http_port, *https_port;
	int control_fd, http_fd, https_fd; /* for those, until the start; -1 */
	struct timer drain_timer;
	struct yielding yielding;     /* while another aditd takes over */
	struct seeing_off seeing_off; /* when it has */
	/* Every object is of one of these. */
	struct {
		struct pool *streams, *layers, *sessions, *mux_streams,
			*listeners, *greetings, *controls, *proxies, *works,
			*carriers, *offers, *wishes, *visitors, *parked,
			*services;
	} pools;
};

/*
 * Main thread: make the worker's loop and pools, sized by the settings and the
 * server's quotas; 0 or -errno after an error in the log.
 */
int worker_create(
	struct worker **w_r, struct server *s, uint32_t index) must_check;

/* Go by these settings, held for it, from now on. */
void worker_use(struct worker *w, struct settings *s);

/* After core_destroy: free what is left. NULL is accepted. */
void worker_destroy(struct worker **w);

static inline struct loop *worker_loop(const struct worker *w)
{
	return w->core.loop;
}

/* Bytes that its objects take when all limits are reached on it. */
size_t worker_records(const struct worker *w);

/* The same of one visitor, and of one work connection. */
size_t worker_visitor_records(void);
size_t worker_work_records(void);

/* Whose mailbox it is. */
struct worker *worker_of_mailbox(struct mailbox *m);

/* From the worker `w`: send a letter to the worker `to`. */
void worker_post(struct worker *w, uint32_t to, struct letter *letter,
	letter_fn *deliver);

/* How others name an object of one of the worker's pools. */
static inline struct ref worker_ref(const struct worker *w, const void *object)
{
	return (struct ref){ w->index, pool_handle(object) };
}

/*
 * Whether visitors that have not begun to speak are to wait with it: another
 * aditd is taking over, or whom they want to see has not come back from the one
 * before us.
 */
bool worker_holds(const struct worker *w);

/* Whether it drains, and its visitors cannot go on at another aditd. */
bool worker_ends(const struct worker *w);

/* Worker thread: it holds them no more, or there is more to find for them. */
void worker_let_in(struct worker *w);

/* Called when a visitor has gone: a drain may be complete now. */
void worker_visitor_gone(struct worker *w);

#endif
