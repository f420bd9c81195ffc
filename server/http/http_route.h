/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One decision from one parse: whose a request is, whether its visitor may
 * have it, and what the service gets to read.
 */

#ifndef ADIT_SERVER_HTTP_HTTP_ROUTE_H
#define ADIT_SERVER_HTTP_HTTP_ROUTE_H

#include "common/base/address.h"
#include "server/http/exchange.h"
#include "server/http/head_reader.h"

struct route;

/*
 * For the visitor at `peer`. 0, and then `*r_r` is the route and
 * `*forwarded_r` the head for the service, from the heap, the caller's; or the
 * status to answer with, and then it is whose the request would be, if that is
 * known. `q` is filled in as far as the request is understood. `*r_r` says who
 * has a connection of this visitor's only: a group asks that one, whosever turn
 * it is; NULL: nobody.
 */
int http_route_decide(struct worker *w, const struct address *peer,
	const struct head_found *f, struct request_facts *q, struct route **r_r,
	struct chunk **forwarded_r) must_check;

#endif
