/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An echo service for the load generator: on a port of 127.0.0.1 and a thread
 * of its own, it sends back what comes, by a pump from each stream to itself.
 */

#ifndef ADIT_LOAD_ORIGIN_H
#define ADIT_LOAD_ORIGIN_H

#include <stdint.h>

#include "common/base/compiler.h"

struct origin;

/* Listen and serve; 0 and the port, or -errno. */
int origin_start(struct origin **o_r, uint16_t *port_r) must_check;

/* Stop the thread and free; NULL is accepted. */
void origin_stop(struct origin **o);

#endif
