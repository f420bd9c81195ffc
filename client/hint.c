/* SPDX-License-Identifier: Apache-2.0 */

#include "client/hint.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/log.h"

/* RFC 6761 section 6.3: it is this machine, on every machine. */
static bool is_localhost(const char *host, int n)
{
	static const char name[] = "localhost";
	int length = (int)strlen(name);

	return n >= length &&
	       !strncmp(host + n - length, name, (size_t)length) &&
	       (n == length || host[n - length - 1] == '.');
}

void hint_name(const char *host, const char *server)
{
	int n = (int)strcspn(host, ":,");

	if (is_localhost(host, n))
		log_info("%.*s serves visitors on the server's own machine "
			 "only; for others the server needs subDomainHost, a "
			 "domain whose names lead to it. Where the name does "
			 "not resolve: the line 127.0.0.1 %.*s in /etc/hosts",
			n, host, n, host);
	else
		log_info("if %.*s does not resolve: it needs a DNS record that "
			 "leads to the server, %s",
			n, host, server);
}
