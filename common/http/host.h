/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one normal form of a host: lower-case, without port, without the dot at
 * its end. Requests and configured domains go through the same code, so that
 * the two can be compared byte by byte.
 */

#ifndef ADIT_HTTP_HOST_H
#define ADIT_HTTP_HOST_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/http/text.h"

/* Bytes of a normalised host with its NUL. */
#define HTTP_HOST_MAX 256

/*
 * Reads `host [ ":" [ port ] ]`, the value of a Host field or the authority of
 * a target (RFC 9110, section 7.2), and writes the normalised host. The host
 * is a name of letters, digits, `.`, `-` and `_`, of at most 253 bytes,
 * without empty labels, or an IPv6 address in brackets, which is written in
 * its shortest form, brackets included. The port is at most 65535. False if it
 * is none of these; `out` is then the empty string.
 */
must_check bool host_parse(
	struct http_text text, char out[static HTTP_HOST_MAX]);

/*
 * The same for a configured domain. With `wildcard`, `*` alone and names that
 * start with `*.` are allowed too.
 */
must_check bool host_normalise(
	const char *in, bool wildcard, char out[static HTTP_HOST_MAX]);

#endif
