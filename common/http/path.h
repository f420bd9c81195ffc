/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The two ways to read a path: as frp compares it with the locations of
 * proxies (decoded, and nothing else), and as a service may understand it
 * (with its dot segments walked, no segment empty, encoded slashes as slashes,
 * parameters taken off). Where the two lead to different proxies, somebody
 * tries to get past one of them. Source: RFC 3986, sections 2.1, 3.3, 5.2.4.
 */

#ifndef ADIT_HTTP_PATH_H
#define ADIT_HTTP_PATH_H

#include "common/base/compiler.h"
#include "common/http/text.h"

/*
 * Write both readings of a target's path (its query is passed over) to
 * `decoded` and `cleaned`, each of target.len bytes at least. 0; or -400 where
 * a `%` has no two hex digits behind it, or stands for a NUL: services differ
 * on what that is.
 */
int path_read(struct http_text target, uint8_t *decoded, uint8_t *cleaned,
	struct http_text *decoded_r, struct http_text *cleaned_r) must_check;

#endif
