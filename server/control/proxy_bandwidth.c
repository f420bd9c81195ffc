/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/proxy_bandwidth.h"

#include <string.h>

#include "common/base/bandwidth.h"
#include "server/control/proxy.h"

int proxy_bandwidth_read(
	const struct message_new_proxy *m, int64_t *rate_r, char *error)
{
	const char *mode = m->bandwidth_limit_mode;
	bool here = !strcmp(mode, "server");

	if (!bandwidth_parse(m->bandwidth_limit, rate_r))
		return proxy_fault(error,
			"bandwidth_limit [%.64s]: " BANDWIDTH_ALLOWED,
			m->bandwidth_limit);
	if (!here && *mode && strcmp(mode, "client") != 0)
		return proxy_fault(error,
			"bandwidth_limit_mode [%.64s]: client or server is "
			"allowed",
			mode);
	if (!here)
		*rate_r = 0;
	return 0;
}
