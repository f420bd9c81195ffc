/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One exchange: a request that was routed and goes out to a service, and the
 * response that comes back. Two halves that run by themselves; what becomes of
 * the two connections afterwards is decided by settle (common/http). Sources:
 * RFC 9110, sections 10.1.1 and 15.2; RFC 9112, sections 6 to 9.
 */

#ifndef ADIT_SERVER_HTTP_EXCHANGE_H
#define ADIT_SERVER_HTTP_EXCHANGE_H

#include "common/base/reason.h"
#include "common/base/timer.h"
#include "common/http/framing.h"
#include "common/http/settle.h"
#include "common/http/upgrade.h"
#include "common/relay/pump.h"
#include "server/http/ahead.h"
#include "server/http/body_check.h"
#include "server/http/head_reader.h"
#include "server/http/stall.h"

struct emit_set;
struct outcome;
struct worker;

/*
 * A visitor that has ended its side may only have half-closed, or be gone: when
 * no response has begun for so long it is taken for gone.
 */
#define EXCHANGE_SILENCE (30 * CLOCK_SECOND)

/* Interim responses of one request; more make no sense. */
#define EXCHANGE_INTERIMS_MAX 16

enum request_state {
	/* No exchange. Next: SENDING. */
	REQUEST_NONE,
	/* Head and body are on their way. Next: SENT, STOPPED. */
	REQUEST_SENDING,
	/* The service has all of it. */
	REQUEST_SENT,
	/* The service takes no more of it. */
	REQUEST_STOPPED,
};

enum response_state {
	/* No exchange. Next: AWAITED. */
	EXCHANGE_NONE,
	/* Its head, or more of it, is to come. Next: INTERIM, BODY. */
	EXCHANGE_AWAITED,
	/* A 1xx is on its way to the visitor. Next: AWAITED. */
	EXCHANGE_INTERIM,
	/* Its head has gone out, or is about to. Next: WHOLE, NONE. */
	EXCHANGE_BODY,
	/* It is delivered; that the request is, too, is still to be told. */
	EXCHANGE_WHOLE,
};

/* What is known of the request, and stays when its head has gone. */
struct request_facts {
	struct http_framing framing;
	bool head;    /* HEAD */
	bool safe;    /* GET, HEAD, OPTIONS, DELETE */
	bool again;   /* GET, HEAD, OPTIONS: it may be sent twice */
	bool old;     /* HTTP/1.0 */
	bool alone;   /* its service's connection serves it only */
	bool connect; /* CONNECT: 2xx makes a tunnel */
	bool html;    /* the visitor reads pages */
	bool clear;   /* where it ends is known */
	char upgrade[UPGRADE_SIZE]; /* what may be spoken instead; "": no */
};

struct exchange;

/* How it ended. */
enum exchange_end {
	EXCHANGE_SETTLED,  /* `settlement` says what becomes of the two */
	EXCHANGE_SWITCHES, /* `head` is to be told, then no HTTP more */
	EXCHANGE_RETRIES,  /* nothing has come: send it on another one */
};

struct exchange_result {
	enum exchange_end end;
	struct settlement settlement;
	int status;         /* where the visitor is to be answered */
	uint32_t keeps_s;   /* how long the service says it keeps it */
	enum reason why;    /* for the log */
	bool strike;        /* bytes came behind the response */
	struct chunk *head; /* EXCHANGE_SWITCHES: for the visitor; owned */
};

struct exchange_params {
	struct worker *worker;
	struct stream *visitor, *work; /* the owner's */
	bool work_private;             /* `work` has been this visitor's only */
	const struct request_facts *request; /* outlives the exchange */
	struct chunk *forwarded;    /* the head for the service; taken over */
	const struct emit_set *set; /* fields of the response; outlives it */
	bool reused;                /* the service has served before */
	bool last; /* the visitor's connection has no further one */
	struct throttles throttle_out, throttle_back; /* outlive it */
	struct outcome *outcome; /* kept up to date; outlives it */
	struct chunk *kept; /* the head once more, for a service that may be
			     * dead; NULL: it may not be sent twice */
	/* Called once, from the loop; nobody reads or writes any more. */
	void (*over)(struct exchange *x, const struct exchange_result *r);
};

struct exchange {
	struct exchange_params with;
	struct pump out, back;
	struct body_check out_check, back_check; /* of chunked bodies */
	struct stream_reader reader; /* of the service: the response's head */
	struct ahead ahead; /* of the visitor: the next one, or its going */
	struct stream_writer writer; /* to the visitor: interim responses */
	struct head_reader pieces;
	struct http_framing framing; /* the response's */
	struct timer timer;          /* the service is late */
	struct stall stall;          /* of the body that is on its way */
	uint8_t request;             /* enum request_state */
	uint8_t response;            /* enum response_state */
	uint8_t interims;
	bool passed; /* something of the response has been passed on */
	/*
	 * It was told, or said, that this is the last one; or nobody knows what
	 * is behind it: a tunnel's bytes, behind a CONNECT that is refused.
	 */
	bool visitor_ends;
};

/* Begin, on a zeroed or ended exchange. */
void exchange_start(struct exchange *x, const struct exchange_params *params);

/* Leave both streams; `over` is not called. No exchange: no effect. */
void exchange_stop(struct exchange *x);

static inline bool exchange_runs(const struct exchange *x)
{
	return x->request != REQUEST_NONE;
}

#endif
