/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The configuration read again, by SIGHUP or POST /reload at admin.sock. The
 * main thread reads the file, and all that the keys in it name, before anything
 * is changed: what is wrong leaves all as it was. Of keys that need a restart
 * the new settings say what the old ones did, and the log and the answer name
 * them. Then the workers get the settings in letters: nobody changes settings,
 * and they are freed by who drops them last. The answer is given when all
 * workers go by them.
 */

#ifndef ADIT_SERVER_RELOAD_H
#define ADIT_SERVER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct server;
struct settings;
struct users;

enum reload_state {
	RELOAD_IDLE,
	/* Read, and sent to the workers; the pulse tells that they have it.
	 * Next: IDLE. */
	RELOAD_SPREADING,
};

/* The main thread's. */
struct reload {
	enum reload_state state;
	const char *file; /* outlives it; NULL: there is none */
	bool asked;       /* by a signal */
	uint64_t round;   /* of the pulse, which may have been under way */
	bool again;       /* `round` is one that has begun since */
	int64_t until;    /* when it is not waited for any more */
	char *answer;     /* owned; while SPREADING */
	/* Held while SPREADING, so that it is not a worker who frees them. */
	struct settings *old_settings;
	struct users *old_users;
};

/*
 * Main thread, whenever it wakes: do what is asked for. Returns in how many ms
 * to be called again, -1: not known.
 */
int reload_look(struct reload *r, struct server *s);

/* A zeroed one, too. */
void reload_close(struct reload *r);

#endif
