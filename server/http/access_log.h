/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way of the access log's records. A worker copies each into a byte ring
 * of its own, without lock, and without system call but one wake-up for all
 * that comes within ACCESS_LOG_PERIOD; what finds no room is dropped. The main
 * thread makes lines of them and writes these, at once when a ring is half
 * full. A destination that takes nothing is tried again; one that fails costs
 * the lines that were for it.
 */

#ifndef ADIT_SERVER_HTTP_ACCESS_LOG_H
#define ADIT_SERVER_HTTP_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/http/access_record.h"
#include "server/settings.h"

struct access_log;
struct access_ring;

/* Bytes of records that a worker may be ahead: some thousands. */
#define ACCESS_RING_SIZE (UINT32_C(1) << 20)

/* How long a line waits for others, to be written with them. */
#define ACCESS_LOG_PERIOD (100 * CLOCK_MS)

/* --- main thread --- */

/*
 * Open what accessLog.to says, and a ring for each worker; *log_r is NULL if
 * it says nothing. A FIFO needs no reader. 0, or -errno.
 */
int access_log_create(struct access_log **log_r, const struct settings *s,
	uint32_t workers) must_check;

/*
 * Go by these settings from now on; lines that were put before go where they
 * went. It is made if it is not there, and kept when it is not to be any more,
 * for workers who have not heard of it. 0, or -errno, and all is as it was.
 */
int access_log_change(struct access_log **log, const struct settings *s,
	uint32_t workers) must_check;

/* NULL is accepted. */
void access_log_destroy(struct access_log **log);

struct access_ring *access_log_ring(struct access_log *log, uint32_t worker);

/* A descriptor that is readable when access_log_run is to be called. */
int access_log_fd(const struct access_log *log);

/*
 * Write what is due, or all of it if it is the `last` time. Returns in how
 * many ms to be called again, -1: when the descriptor says so.
 */
int access_log_run(struct access_log *log, bool last);

/* Go on in the file that has the name now; if it cannot be opened, stay. */
void access_log_reopen(struct access_log *log);

/* --- the ring's worker --- */

/* Have a copy of the record written; false: there is no room. */
bool access_ring_put(
	struct access_ring *ring, const struct access_record *r) must_check;

/* --- any thread --- */

/* Lines that could not be written since it was asked last. */
uint64_t access_log_unwritten(struct access_log *log);

#endif
