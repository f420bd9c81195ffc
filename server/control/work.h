/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A work connection while it is idle, on the worker that accepted it: offered
 * to the matchmaker of its control, then parked with a receive armed, so that
 * a dead one is noticed; a live one says nothing before StartWorkConn. One of
 * a client with the capability `reuse` is a carrier and comes back here after
 * each visitor.
 */

#ifndef ADIT_SERVER_CONTROL_WORK_H
#define ADIT_SERVER_CONTROL_WORK_H

#include "common/base/list.h"
#include "common/relay/carrier.h"
#include "common/wire/message.h"
#include "server/registry/claim.h"
#include "server/link/link.h"
#include "server/link/start.h"

struct question;
struct worker;

enum work_state {
	/* The matchmaker decides; nothing armed. Next: PARKED, gone. */
	WORK_OFFERED,
	/* An offer stands for it. Next: gone. */
	WORK_PARKED,
};

struct work {
	struct worker *worker;
	struct ref control;
	struct handle offer; /* the matchmaker's, while PARKED */
	struct stream *stream;
	struct stream_reader reader;
	struct list link; /* worker's works */
	struct sealing sealing;
	uint8_t state; /* enum work_state */
	uint8_t kind;  /* enum work_kind: matchmaker.h */
	bool reuse;    /* the stream is a carrier's */
};

/* A carrier knows whose it is. */
struct work_carrier {
	struct carrier carrier;
	struct worker *worker;
	struct ref control;
};

/* A connection that opened with NewWorkConn; the stream is taken over. */
void work_arrived(struct worker *w, struct stream *s, const struct link *link,
	const struct message_new_work_conn *m);

/* Prepare the worker's carriers. */
void work_init(struct worker *w);

/* The carrier's visit `s`, put together anew, is this worker's. */
void work_claim_carrier(struct worker *w, struct stream *s, struct ref control);

/* Take it out; the caller has its stream, and how to start on it: wipe that. */
struct stream *work_take(struct work *k, struct sealing *sealing_r);

/* The worker ends. */
void work_close(struct work *k);

/* --- letters to its worker, from the control's worker `w` --- */

/*
 * Stay where you are; the offer stands for you. `key`: what the start is
 * sealed by, once it is known; else NULL.
 */
void work_tell_park(struct worker *w, struct ref work, struct handle offer,
	const struct start_key *key);

/* Go to who asked, wherever it is; `key` as above. */
void work_tell_bring(struct worker *w, struct ref work, struct question q,
	const struct start_key *key);

/* You are not wanted; `error`, a literal, is for the client, NULL: silence. */
void work_tell_drop(struct worker *w, struct ref work, const char *error);

#endif
