/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What two ends may speak instead of HTTP (RFC 9110, section 7.8): the
 * protocols that a request offers, such as websocket, or tcp and SPDY/3.1 of
 * container engines, and the one that a 101 takes. HTTP/2 over clear text
 * (h2c) is never one, as it would carry requests past whoever checks them.
 */

#ifndef ADIT_HTTP_UPGRADE_H
#define ADIT_HTTP_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct http_head;

/* Bytes of a list of protocols, and its NUL; a longer one is no offer. */
#define UPGRADE_SIZE 80

/*
 * Write the protocols that the Upgrade fields of a complete head name, as a
 * list, without h2c and other forms of HTTP. False, and "": there are none, or
 * one is malformed.
 */
bool upgrade_list(const struct http_head *head, const uint8_t *data,
	char list[static UPGRADE_SIZE]) must_check;

/* Whether a 101 names exactly one protocol, and that is in the list. */
bool upgrade_takes(const struct http_head *head, const uint8_t *data,
	const char *list) must_check;

#endif
