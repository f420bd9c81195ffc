/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/process.h"

#include <sys/resource.h>

void process_forbid_dumps(void)
{
	static const struct rlimit none = { 0 };

	/* Less is always allowed. */
	setrlimit(RLIMIT_CORE, &none);
}
