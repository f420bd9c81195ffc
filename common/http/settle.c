/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/settle.h"

static enum settle_work settle_work(const struct settle_facts *f)
{
	if (f->response != RESPONSE_WHOLE || !f->request_whole ||
		f->service_closes || f->repaired || f->surplus)
		return WORK_ENDS;
	/* A service may take such a body for the next request. */
	return f->pinned || f->was_private || f->safe_with_body ? WORK_PRIVATE
								: WORK_SHARED;
}

static enum settle_visitor settle_visitor(const struct settle_facts *f)
{
	bool stays = f->request_whole && !f->visitor_closes;

	if (f->visitor_failed || f->response == RESPONSE_CUT)
		return VISITOR_IS_CUT;
	if (f->response == RESPONSE_NONE)
		return stays ? VISITOR_IS_ANSWERED : VISITOR_IS_SENT_OFF;
	return stays ? VISITOR_KEEPS : VISITOR_LINGERS;
}

struct settlement settle(const struct settle_facts *f)
{
	struct settlement s = { settle_work(f), settle_visitor(f) };

	/* Nobody is left whose it could be. */
	if (s.work == WORK_PRIVATE && s.visitor != VISITOR_KEEPS)
		s.work = WORK_ENDS;
	return s;
}
