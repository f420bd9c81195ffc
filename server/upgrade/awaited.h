/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proxies that the aditd before this one had, by name, and the ports that
 * those of tcp had: they are awaited, and nobody else gets their ports
 * meanwhile. They come as records one behind the other: the port in two bytes,
 * 0 for none, as both programs are of one machine, then the name and its NUL.
 * For one thread.
 */

#ifndef ADIT_SERVER_UPGRADE_AWAITED_H
#define ADIT_SERVER_UPGRADE_AWAITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct awaited_proxy;

/* All zero is empty. */
struct awaited {
	struct awaited_proxy *by_name, *by_port;
};

/* Bytes of a proxy's record. */
size_t awaited_size(const char *name);

/* Write it there; the byte behind it. */
uint8_t *awaited_write(uint8_t *to, const char *name, uint16_t port);

/* How many of the bytes are whole records and at most `most`; 0: none. */
size_t awaited_piece(const uint8_t *bytes, size_t size, size_t most);

/* Await those of the records, too. 0; -EPROTO: they are none; -ENOMEM. */
int awaited_read(
	struct awaited *a, const uint8_t *bytes, size_t size) must_check;

/* One is there, or is not awaited any more; false: it was not. */
bool awaited_drop(struct awaited *a, const char *name);

void awaited_each(const struct awaited *a,
	void (*visit)(const char *name, uint16_t port, void *arg), void *arg);

size_t awaited_count(const struct awaited *a);

/* Who had the port, or NULL. */
const char *awaited_owner(const struct awaited *a, uint16_t port);

void awaited_clear(struct awaited *a);

#endif
