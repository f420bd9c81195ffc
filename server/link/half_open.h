/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many connections on bindPort may be between their first words and their
 * first message: so many in all, and so many of one address, beyond the work
 * connections that clients there were asked for. Each may cost a TLS handshake,
 * before anybody has proved anything. A quarter of the room is for clients that
 * have been here, and can resume a TLS session: that costs no signature. One
 * table of a fixed size for all workers, without a lock; addresses that share a
 * place share its room.
 */

#ifndef ADIT_SERVER_LINK_HALF_OPEN_H
#define ADIT_SERVER_LINK_HALF_OPEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/address.h"

#define HALF_OPEN_MAX 512
#define HALF_OPEN_OF_ANYBODY (HALF_OPEN_MAX / 4 * 3)
#define HALF_OPEN_OF_ADDRESS 16

#define HALF_OPEN_PLACES 4096

struct half_open_count {
	_Atomic uint32_t open;
	_Atomic uint32_t expected; /* work connections that were asked for */
};

struct half_open {
	uint64_t secret; /* odd: which addresses share a place */
	struct half_open_count all;
	struct half_open_count places[HALF_OPEN_PLACES];
};

/* All zero before. */
void half_open_init(struct half_open *h);

/* Any thread: where an address is counted. */
uint32_t half_open_place(const struct half_open *h, const struct address *a);

enum half_open_room {
	HALF_OPEN_NONE,
	HALF_OPEN_ANY,
	HALF_OPEN_KNOWN /* that of those who resume: it must */
};

/* Any thread: one more of that place, which offers to resume a session or not;
 * where it got room. And one less, wherever. */
enum half_open_room half_open_enter(
	struct half_open *h, uint32_t place, bool resumes) must_check;
void half_open_leave(struct half_open *h, uint32_t place);

/* Any thread: so many more, or less, work connections are to come; and how
 * many, in all. */
void half_open_expect(struct half_open *h, uint32_t place, int32_t change);
uint32_t half_open_expected(const struct half_open *h);

#endif
