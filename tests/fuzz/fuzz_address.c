/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Addresses: what is split is joined to something that splits the same; what
 * is parsed is written to something that parses the same; and hosts.
 */

#include <string.h>

#include "common/base/address.h"
#include "common/http/host.h"
#include "tests/fuzz/fuzz.h"

static void check_split(const char *text)
{
	char host[ADDRESS_HOST_SIZE], again[ADDRESS_HOST_SIZE];
	char joined[ADDRESS_HOST_SIZE + 16];
	uint16_t port, port_again;

	if (address_split(text, host, &port, 7000) < 0)
		return;
	must(host[0] && port != 0);
	address_join(joined, sizeof(joined), host, port);
	must(address_split(joined, again, &port_again, 0) == 0);
	must(!strcmp(host, again) && port == port_again);
}

static void check_parse(const char *text)
{
	struct address a, b;
	char ip[ADDRESS_TEXT_SIZE];

	if (address_parse(&a, text, 80) < 0)
		return;
	address_ip(&a, ip);
	must(address_parse(&b, ip, 80) == 0);
	must(address_port(&a) == address_port(&b));
}

static void check_host(const char *text)
{
	char once[HTTP_HOST_MAX], twice[HTTP_HOST_MAX];

	if (!host_normalise(text, true, once))
		return;
	must(host_normalise(once, true, twice));
	must(!strcmp(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_split(text);
	check_parse(text);
	check_host(text);
	free(text);
	return 0;
}
