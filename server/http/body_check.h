/* SPDX-License-Identifier: Apache-2.0 */

/* A pump's inspector of a chunked body (common/http/chunked.h). */

#ifndef ADIT_SERVER_HTTP_BODY_CHECK_H
#define ADIT_SERVER_HTTP_BODY_CHECK_H

#include "common/http/chunked.h"
#include "common/relay/pump.h"

struct body_check {
	struct inspector inspector;
	struct chunked chunks;
};

/* For a new body. Returns the inspector. */
struct inspector *body_check_init(struct body_check *b, enum chunked_as as);

#endif
