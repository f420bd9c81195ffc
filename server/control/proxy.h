/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A proxy is one published service: a TCP port, or hosts on vhostHTTPPort or
 * vhostHTTPSPort.
 * It belongs to a control and goes with it; what it serves by is claimed from
 * the registry, whose answer the client waits for. Visitors that are being
 * served outlive it.
 */

#ifndef ADIT_SERVER_CONTROL_PROXY_H
#define ADIT_SERVER_CONTROL_PROXY_H

#include "common/base/list.h"
#include "common/base/reason.h"
#include "common/event/mailbox.h"
#include "common/wire/message.h"
#include "server/registry/claim.h"

/* The longest name of a proxy, in bytes. */
#define PROXY_NAME_MAX 4096

/* Room for the error of a refused proxy. */
#define PROXY_ERROR_SIZE 512

struct control;
struct user_load;

enum proxy_state {
	/* The registry decides. Next: OPEN, gone. */
	PROXY_CLAIMED,
	/* Published everywhere. Next: gone. */
	PROXY_OPEN,
};

enum proxy_type {
	PROXY_TCP,
	PROXY_HTTP,
	PROXY_HTTPS,
	PROXY_TYPES
};

struct proxy {
	struct control *control;
	struct list link; /* control's proxies */
	char *name;
	char **hosts; /* http, https: normalised */
	size_t host_count;
	struct handle entry;    /* of the registry, when OPEN */
	struct user_load *load; /* held: the user's, where it counts; or NULL */
	uint16_t port;          /* tcp, when OPEN */
	uint8_t type;           /* enum proxy_type */
	uint8_t work_kind;      /* enum work_kind: of its work connections */
	uint8_t state;          /* enum proxy_state */
	bool undecided;         /* the registry has not said */
};

/* Write the error of a proxy that is refused, and fail: -1. */
int proxy_fault(char *error, const char *fmt, ...) printf_like(2, 3);

/* Of one client at once: their answers are short of what a channel keeps. */
#define PROXIES_UNDECIDED 8

/*
 * Whether all that its client or user may have is taken, but by proxies that
 * may be refused yet; or it says more than it hears. Another one comes again
 * when those are decided, or what is unsent has gone.
 */
bool proxy_has_to_wait(struct control *c) must_check;

/*
 * Open what NewProxy asks for, and answer it, now or when the registry has
 * decided. False: the control was closed.
 */
bool proxy_open(
	struct control *c, const struct message_new_proxy *m) must_check;

/* The control's proxy of that name, or NULL. */
struct proxy *proxy_find(struct control *c, const char *name);

/* Close it; visitors that wait are turned away for the reason. */
void proxy_close(struct proxy *p, enum reason why);

/* Whether its control's user may have it, by the users as they are now. */
bool proxy_is_allowed(const struct proxy *p) must_check;

/* The registry's answer (struct decision), on the proxy's worker. */
void proxy_decided(struct mailbox *m, struct letter *letter);

#endif
