/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A load generator: connections that make exchanges with a target, one after
 * another, and what became of them. In a closed loop a connection begins the
 * next exchange when the last has ended. In an open loop exchanges are due at
 * a fixed rate, whether or not a connection is free for them, and their
 * latency counts from when they were due: a stall of the target is seen in
 * all that it delays (no coordinated omission). One loop, one thread.
 */

#ifndef ADIT_LOAD_LOAD_H
#define ADIT_LOAD_LOAD_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/base/pool.h"
#include "common/base/timer.h"
#include "common/load/histogram.h"
#include "common/load/response.h"
#include "common/relay/stream.h"

enum load_kind {
	LOAD_HTTP, /* a GET and its response */
	LOAD_ECHO, /* bytes, which come back; each one is compared */
};

/* LOAD_ERROR(name, text): why an exchange failed. */
#define LOAD_ERRORS_TABLE                                  \
	LOAD_ERROR(connect, "the connection was not made") \
	LOAD_ERROR(closed, "the connection ended early")   \
	LOAD_ERROR(status, "the status was not 2xx")       \
	LOAD_ERROR(bytes, "other bytes came back")

enum load_error {
#define LOAD_ERROR(name, text) LOAD_ERROR_##name,
	LOAD_ERRORS_TABLE
#undef LOAD_ERROR
		LOAD_ERRORS
};

struct load_params {
	enum load_kind kind;
	struct address target;
	const char *host, *path; /* http */
	uint64_t size;           /* echo: bytes of a message, at least 1 */
	uint32_t connections;
	uint32_t idle;    /* further ones that do nothing */
	uint32_t slow;    /* further ones that ask and never read */
	uint32_t sources; /* to loopback: from so many addresses; 0: one */
	bool close;       /* a new connection for each exchange */
	double rate;      /* exchanges due a second; 0: a closed loop */
	int64_t duration;
};

struct load_result {
	struct histogram latency; /* ns; of an exchange */
	struct histogram connect; /* ns; of a connection */
	uint64_t exchanges, connections, bytes_in, bytes_out;
	uint64_t unfinished; /* due before the end; in `latency`, as far as
			      * it went, in an open loop */
	uint64_t errors[LOAD_ERRORS];
	int64_t elapsed; /* ns */
};

struct load_connection;

struct load {
	struct load_params params;
	struct loop *loop;
	struct load_result result;
	struct load_connection *connections;
	uint32_t count; /* of them */
	struct pool *streams;
	struct list free; /* connections that wait for an exchange to be due */
	struct timer timer, end;
	int64_t began;
	uint64_t due; /* exchanges begun: the next one's number */
	char request[512];
	uint32_t request_size;
	bool stopping;
	void (*ended)(struct load *l);
};

/*
 * Begin. `ended` is called once, from the loop, when the time is over or
 * load_stop was called; the result is complete then. 0 or -errno.
 */
int load_start(struct load *l, struct loop *loop, const struct load_params *p,
	void (*ended)(struct load *l)) must_check;

/* End early. */
void load_stop(struct load *l);

/* After `ended`: free; true when nothing is in flight any more, else again
 * after a turn. */
bool load_finish(struct load *l) must_check;

/* Operations that the loop must have room for. */
uint32_t load_operations(const struct load_params *p);

#endif
