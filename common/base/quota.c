/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/quota.h"

bool quota_take(struct quota *q)
{
	uint32_t used =
		atomic_fetch_add_explicit(&q->used, 1, memory_order_relaxed);

	if (used < q->limit)
		return true;
	quota_give(q);
	return false;
}

void quota_give(struct quota *q)
{
	atomic_fetch_sub_explicit(&q->used, 1, memory_order_acq_rel);
}
