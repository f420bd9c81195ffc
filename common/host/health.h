/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What whoever watches over the process may ask of it, in HTTP/1.1, one request
 * a connection:
 *
 *   GET /healthz   200 when all cores have answered a pulse, 503 when one
 *                  has not for HEALTH_PATIENCE
 *   GET /readyz    the same, and 503 when no visitors are taken: at the start,
 *                  and when it drains
 *
 * and, on the local socket alone, where the program lets it,
 *
 *   POST /reload   200 when all cores go by what the configuration says now,
 *                  with what has changed; else why not
 *
 * HEAD is answered, too; everything else is 404 or 405, by the strict parser of
 * common/http. The main thread serves it, without ever waiting.
 */

#ifndef ADIT_HOST_HEALTH_H
#define ADIT_HOST_HEALTH_H

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/host/pulse.h"

/* Connections at once; with one more the oldest ends. */
#define HEALTH_GUESTS 8

/* Bytes of a request's head, and its fields. */
#define HEALTH_REQUEST 2048
#define HEALTH_FIELDS 32

/* Of an answer. */
#define HEALTH_ANSWER ((size_t)60 * 1024)

/* For a request to come, for the cores to answer, for the peer to close. */
#define HEALTH_PATIENCE (2 * CLOCK_SECOND)

/* When nobody can be accepted for want of something, until the next try. */
#define HEALTH_PAUSE (100 * CLOCK_MS)

struct health;

/* What it waits for is put into this epoll(7). 0 or -ENOMEM. */
int health_create(struct health **h_r, int epoll) must_check;

/*
 * Serve this socket of the file system, which is replaced, is for its owner
 * alone (0600) and goes at the end. Before there are threads: changes the
 * umask for a moment. 0 or -errno.
 */
int health_listen_local(struct health *h, const char *path) must_check;

/* Serve this listening socket, which is taken over. 0 or -errno. */
int health_listen(struct health *h, int fd) must_check;

/*
 * Main thread, whenever it wakes: do what can be done. `unready`: why no
 * visitors are taken, NULL: they are. `woken`: the epoll is readable. Returns
 * in how many ms there is more to do, -1: nothing is known of.
 */
int health_look(
	struct health *h, struct pulse *p, const char *unready, bool woken);

/* From now on POST /reload is allowed on the local socket. */
void health_allow_reload(struct health *h);

/*
 * Main thread: whether somebody has asked for a reload since this was called
 * last. They wait until health_answer_reload says what became of it: lines of
 * text, the last one's line feed left out.
 */
bool health_takes_reload(struct health *h);
void health_answer_reload(struct health *h, int status, const char *text);

/* Another process serves the sockets: only who is connected is answered. */
void health_leave(struct health *h);

/* Cuts who is connected; NULL is accepted. */
void health_destroy(struct health **h);

#endif
