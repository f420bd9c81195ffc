/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ReqWorkConn: a matchmaker asks its client for the work connections that are
 * missing, with as few messages as can be, and a ticket for each where they
 * need tickets. On the control's worker.
 */

#ifndef ADIT_SERVER_CONTROL_WORK_REQUEST_H
#define ADIT_SERVER_CONTROL_WORK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct matchmaker;

/* With the next turn, for as many as are missing then. */
void work_request_soon(struct matchmaker *m);

/*
 * Send one message for up to *n_io, and for how many it was: 0 when too many
 * tickets are out. False: the control was closed.
 */
bool work_request(struct matchmaker *m, uint32_t *n_io) must_check;

/* So many are still to come, as connections of their own or in its session. */
void work_request_expect(struct matchmaker *m, uint32_t n);

#endif
