/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a control wants to be known by, for itself (its run id) or for one of
 * its proxies (a name and a port or hosts). One block of memory, so that a copy
 * of it can be sent anywhere; all copies hold what its bytes are counted by.
 */

#ifndef ADIT_SERVER_REGISTRY_CLAIM_H
#define ADIT_SERVER_REGISTRY_CLAIM_H

#include <stdbool.h>
#include <string.h>

#include "common/base/pool.h"
#include "common/crypto/cipher.h"
#include "common/relay/throttle.h"

struct user_load;

/* Which object of which worker: how letters name what is not the reader's. */
struct ref {
	uint32_t worker;
	struct handle handle;
};

static inline bool ref_is_same(struct ref a, struct ref b)
{
	return a.worker == b.worker && a.handle.index == b.handle.index &&
	       a.handle.generation == b.handle.generation;
}

enum claim_kind {
	CLAIM_CONTROL,
	CLAIM_TCP,
	CLAIM_HTTP,
	CLAIM_HTTPS,
};

struct claim {
	uint32_t size;      /* of the whole block, in bytes */
	uint32_t hosts;     /* http, https: how many */
	uint32_t terms;     /* http: how many other texts, see below */
	uint32_t terms_at;  /* in `text` */
	uint32_t locations; /* http: how many of the terms are locations */
	uint32_t set;       /* of the pairs, how many are for requests */
	struct ref owner;   /* the control or the proxy */
	struct ref control; /* the same, or the proxy's */
	int64_t port;       /* tcp: asked for; 0: any */
	int64_t stamp;      /* control: the time in its login, and */
	int64_t keep_s;     /* how long it is not to be seen again; 0: it may */
	uint32_t pool;      /* idle work connections of the control */
	struct handle session; /* the control's mux; the generation 0: none */
	uint8_t caps;          /* enum capability, or-ed: the control's */
	bool bound;            /* its work connections are streams of that */
	bool compresses;       /* the proxy: what its work connections carry */
	bool encrypts;         /* ... under the key */
	struct cipher_key key;
	struct user_load *load;    /* the proxy's user's; held; or NULL */
	struct throttle *throttle; /* the proxy's own; held; or NULL */
	bool proven;   /* control: it is no replay; it may replace one */
	bool again;    /* ... but none, as the same login came before */
	bool named;    /* control: the client asks for the run id */
	bool ticketed; /* control: its work connections come with tickets */
	bool listed;   /* the proxy's user lists its domains */
	uint8_t kind;  /* enum claim_kind */
	char text[];   /* name, NUL, host, NUL, ..., term, NUL, ... */
};

/*
 * The terms of a control: its user, "" when it has no record; the IV that
 * proves it, in hex, "" without one; where it was signed, the run id that it
 * names and its client id (with its user before it), "" without one; and the
 * address that it comes from.
 */
enum {
	TERM_RECORD,
	TERM_IV,
	TERM_BEFORE,
	TERM_CLIENT,
	TERM_ADDRESS,
};

/*
 * The terms of an http proxy, in this order: what its visitors have to know
 * (Base64 of USER:PASSWORD), what its service sees as Host, the user whose
 * requests it is for, its group and that group's secret, all "" for nothing;
 * then its locations; then names and values of fields to be set, in requests
 * first.
 */
enum {
	TERM_LOGIN,
	TERM_HOST,
	TERM_USER,
	TERM_GROUP,
	TERM_GROUP_KEY,
	TERM_LOCATIONS,
};

/* The longest location, user to route by, and group, in bytes. */
#define CLAIM_LOCATION_MAX 1024
#define CLAIM_USER_MAX 255
#define CLAIM_GROUP_MAX 255

/* Texts of the caller's. */
struct claim_texts {
	size_t count;
	char **v;
};

/* From malloc; NULL without memory. The rest is the caller's to fill in. */
struct claim *claim_new(enum claim_kind kind, const char *name,
	const struct claim_texts *hosts,
	const struct claim_texts *terms) must_check;
struct claim *claim_copy(const struct claim *c) must_check;

/* NULL is accepted. */
void claim_free(struct claim *c);

/*
 * What limits a proxy's visitors, together: what they send, and what they are
 * sent. They are the claim's.
 */
struct throttles claim_throttles_out(const struct claim *c);
struct throttles claim_throttles_back(const struct claim *c);

/* The run id of a control, the name of a proxy. */
static inline const char *claim_name(const struct claim *c)
{
	return c->text;
}

/* The first host, and the one after it; NULL: no more. */
const char *claim_first_host(const struct claim *c);
const char *claim_next_host(const struct claim *c, const char *host);

/* A term by its number; "" where there is none. */
const char *claim_term(const struct claim *c, uint32_t number);

/* Whether two controls are of the same record, or both of none. */
static inline bool claim_same_record(
	const struct claim *a, const struct claim *b)
{
	return !strcmp(claim_term(a, TERM_RECORD), claim_term(b, TERM_RECORD));
}

/* The one behind a term, which is not the last. */
static inline const char *claim_next_term(const char *term)
{
	return term + strlen(term) + 1;
}

/*
 * A place that an http claim asks for: each host with each location ("" for
 * all paths); or an https one: each host. Both are the claim's.
 */
struct claim_place {
	const char *host, *location;
	uint32_t number; /* of the location */
};

/* The first place after all zero, and then the one after it; false: no more. */
bool claim_next_place(const struct claim *c, struct claim_place *p) must_check;

#endif
