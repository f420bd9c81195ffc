/* SPDX-License-Identifier: Apache-2.0 */

/* What the parts of the doctor share; for doctor*.c. */

#ifndef ADIT_CLIENT_DOCTOR_INTERNAL_H
#define ADIT_CLIENT_DOCTOR_INTERNAL_H

#include "client/doctor.h"
#include "client/gateway.h"
#include "common/base/clock.h"
#include "common/base/dialogue.h"
#include "common/crypto/tls_context.h"

/* For each step that waits. */
#define DOCTOR_TIME (10 * CLOCK_SECOND)

/* For a word from who may well have nothing to say. */
#define DOCTOR_PROBE_TIME (3 * CLOCK_SECOND)

#define DOCTOR_ADDRESSES 8
#define DOCTOR_WHY_SIZE 256

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN, /* it works, but */
	DOCTOR_FAIL,
	DOCTOR_UNKNOWN /* nothing tells */
};

/* What is known of the clock. */
enum doctor_clock {
	DOCTOR_CLOCK_UNKNOWN,
	DOCTOR_CLOCK_GOOD,     /* the server has taken a login with its time */
	DOCTOR_CLOCK_NEEDLESS, /* the login is signed */
	DOCTOR_CLOCK_WRONG,    /* the server says so */
	DOCTOR_CLOCK_DATE,     /* an HTTP answer had a time: clock_off */
};

struct doctor {
	const struct settings *settings;
	FILE *out;
	unsigned failed, warned;
	const char *host; /* the server that is looked at */
	uint16_t port;
	struct gateway gateway; /* transport.proxyURL; or GATEWAY_NONE */
	struct address addresses[DOCTOR_ADDRESSES];
	int count;
	struct address at;       /* the address that answers */
	struct dialogue talk;    /* the connection, at most one */
	struct tls_context *tls; /* by the settings; NULL: without */
	struct tls_context *any; /* that trusts everybody; NULL: without */
	bool adit;               /* the talk is inside TLS of aditd's */
	enum doctor_clock clock;
	int64_t clock_off;         /* s, ahead of the server's */
	char why[DOCTOR_WHY_SIZE]; /* the last thing did not work */
};

/* One line, and below it what to do (or NULL). */
void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *what,
	const char *advice, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Make text from outside fit for a terminal: printable ASCII, in place. */
void doctor_clean(char *text);

/* Keep why something did not work, by the talk's trouble or the -errno. */
void doctor_blame(struct doctor *d, int rc);

/* --- doctor_way.c --- */

/* Names to up to DOCTOR_ADDRESSES addresses; how many, 0: see *error_r. */
int doctor_resolve(const struct doctor *d, const char *host, uint16_t port,
	struct address *addresses, const char **error_r) must_check;

/* Line "name", then "route": false, there is no way. */
bool doctor_find(struct doctor *d) must_check;

/* A new connection to the server; 0, or -errno and `why`. */
int doctor_dial(struct doctor *d) must_check;

/* Line "mtu", of the talk. */
void doctor_measure(struct doctor *d);

/* --- doctor_tls.c --- */

/* Lines "port" and "tls"; the talk is what a login can go by. */
bool doctor_secure(struct doctor *d) must_check;

/* Line "port": what answers there instead of a server of ours. False: that
 * does not show. */
bool doctor_probe(struct doctor *d);

/* --- doctor_login.c --- */

/* Line "login". */
void doctor_login(struct doctor *d);

#endif
