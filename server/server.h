/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The server: its workers, and what they share, which is made before they
 * start and changed by none of them but for three numbers.
 */

#ifndef ADIT_SERVER_SERVER_H
#define ADIT_SERVER_SERVER_H

#include <stdatomic.h>

#include "common/crypto/cipher.h"
#include "common/crypto/login_proof.h"
#include "common/base/quota.h"
#include "common/event/core.h"
#include "common/host/host.h"
#include "server/upgrade/arrival.h"
#include "server/users/failures.h"
#include "server/users/guesses.h"
#include "server/link/half_open.h"
#include "server/upgrade/inherited.h"
#include "server/link/keyring.h"
#include "server/http/page.h"
#include "server/reload.h"
#include "server/users/seen_file.h"
#include "server/settings.h"
#include "server/upgrade/successor.h"
#include "server/upgrade/upgrade.h"
#include "server/users/users.h"

struct access_log;
struct registry;
struct worker;

struct server {
	const struct settings *first; /* what it was started with */
	struct settings *settings;    /* the main thread's; held: the newest */
	struct reload reload;         /* the same */
	struct cipher_key token_key;
	uint8_t token_public[PROOF_PUBLIC_SIZE]; /* of the same token */
	struct page_file page_404; /* the main thread's, when they run */
	struct keyring_files keys; /* the same */
	struct users_source users; /* the same */
	struct seen_file
		seen; /* notes of worker 0, written by the main thread */
	struct failures failures;      /* by address */
	struct failures user_failures; /* by address and user: frp's logins */
	struct guesses guesses;
	struct access_log *access_log; /* NULL: off */
	struct core_chores chores;     /* the main thread's */
	int state_lock; /* descriptor of the locked file in stateDir; -1 */
	struct quota visitors, works;
	struct half_open half_open;
	_Atomic uint32_t drained; /* workers that accept no visitors any more */
	_Atomic uint32_t alone;   /* those of them that have seen all off */
	struct registry *registry;     /* of worker 0's thread alone */
	const struct backend *backend; /* of all workers */
	uint32_t worker_count;
	struct worker **workers;
	struct core **cores; /* theirs, for the main thread */
	struct host host;    /* the same */
	struct sandbox sandbox;
	int web_fd; /* webServer.port's, which host has; -1 */
	struct inherited inherited;
	struct arrival arrival;
	struct upgrade upgrade;     /* the main thread's */
	struct successor successor; /* the same */
};

/*
 * Main thread: lock the state directory, make the workers, sized by the
 * settings and the descriptor limit, and open the ports; with `takes_over`,
 * get the lock and the ports from the aditd that has them. Settings and the
 * name of their file, NULL for none, outlive the server. 0, or -errno after an
 * error in the log.
 */
int server_create(struct server **s_r, const struct settings *s,
	const char *file, bool takes_over) must_check;

/* Run until stopped; the exit code of the program. */
int server_run(struct server *s);

/* NULL is accepted. */
void server_destroy(struct server **s);

#endif
