/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether a visitor has said the login that a site asks for (RFC 7617; RFC
 * 9110, sections 11.6 and 11.7).
 */

#ifndef ADIT_HTTP_CREDENTIALS_H
#define ADIT_HTTP_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/http/text.h"

struct http_head;

/*
 * `login` is what is asked for: Base64 of USER:PASSWORD, padded; NULL or "":
 * nothing. `proxy`: the request's target is in absolute form, so it is the
 * proxy, and not the site, that is logged in to. Returns 0; -401, or -407 for
 * the proxy; or -400 for more than one login. How long it takes does not tell
 * where a login is wrong.
 */
int credentials_check(const struct http_head *head, const uint8_t *data,
	bool proxy, const char *login) must_check;

/*
 * What the visitor says in Authorization, or in Proxy-Authorization: the Base64
 * behind `Basic`; empty where it says nothing, or it says something else, or
 * more than once.
 */
struct http_text credentials_said(
	const struct http_head *head, const uint8_t *data, bool proxy);

#endif
