/* SPDX-License-Identifier: Apache-2.0 */

/*
 * By what a server knows this client again after it was started anew: random
 * bits in a file of adit's state (common/base/state_home.h), which is locked
 * while a process goes by them. A second process, or one that cannot keep a
 * file, has bits of its own for its life. For threads that may block.
 */

#ifndef ADIT_CLIENT_CLIENT_ID_H
#define ADIT_CLIENT_CLIENT_ID_H

#include <stdbool.h>

/* 128 bits in hex, and the NUL. */
#define CLIENT_ID_SIZE 33

struct client_id {
	char text[CLIENT_ID_SIZE];
	bool kept; /* with the lock, a descriptor of its own */
	int lock;
};

/* The one that is kept, or another; it does not fail. */
void client_id_open(struct client_id *id);

/* Let another process have it. A zeroed one, too. */
void client_id_close(struct client_id *id);

#endif
