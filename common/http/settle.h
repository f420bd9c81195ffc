/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What becomes of the two connections when an exchange is over: the one place
 * that decides whether a service's connection may serve again, and whom. Pure.
 */

#ifndef ADIT_HTTP_SETTLE_H
#define ADIT_HTTP_SETTLE_H

#include <stdbool.h>

/* How far the response came. */
enum settle_response {
	RESPONSE_NONE,  /* not a byte of it was passed on */
	RESPONSE_CUT,   /* a part of it was */
	RESPONSE_WHOLE, /* all of it */
};

struct settle_facts {
	enum settle_response response;
	bool request_whole;  /* sent to its end */
	bool safe_with_body; /* GET, HEAD, OPTIONS, DELETE, and a body */
	/* It says so, or is HTTP/1.0 and says nothing, or so ends the body. */
	bool service_closes;
	bool repaired;       /* the response had faults */
	bool surplus;        /* bytes came after it */
	bool pinned;         /* either side authenticates the connection */
	bool was_private;    /* the service's connection: and it stays so */
	bool visitor_closes; /* it was told, or said, that this is the last */
	bool visitor_failed; /* it was reset, or takes nothing */
};

/* The service's connection. */
enum settle_work {
	WORK_SHARED,  /* idle: any visitor may be next */
	WORK_PRIVATE, /* idle: this visitor only */
	WORK_ENDS,
};

/* The visitor's. */
enum settle_visitor {
	VISITOR_KEEPS,   /* its next request is read */
	VISITOR_LINGERS, /* ended; what it still sends is thrown away */
	VISITOR_IS_CUT,
	VISITOR_IS_ANSWERED, /* by an error of ours; its next one is read */
	VISITOR_IS_SENT_OFF, /* by an error of ours, and then it lingers */
};

struct settlement {
	enum settle_work work;
	enum settle_visitor visitor;
};

struct settlement settle(const struct settle_facts *f);

#endif
