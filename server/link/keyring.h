/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keyring is what the server shows to clients inside TLS: the identity,
 * for adit, and the certificate for frpc, given in files or made at the first
 * start, which an adit that goes by an authority is shown, too; with the
 * authorities of trustedCaFile, which clients must be known to. A keyring is
 * not changed any more; what its files say later is in another one, which the
 * main thread sends to the workers in letters. It is freed by who drops it
 * last; sessions go on under the one they began with.
 */

#ifndef ADIT_SERVER_LINK_KEYRING_H
#define ADIT_SERVER_LINK_KEYRING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/file_stamp.h"
#include "common/crypto/pin.h"
#include "common/crypto/tls_context.h"
#include "server/link/identity.h"

struct server;
struct settings;

/* How often the main thread looks at the files. */
#define KEYRING_PERIOD CLOCK_SECOND

/* And reads again what could not be used, though it looks the same. */
#define KEYRING_AGAIN (60 * CLOCK_SECOND)

/* certFile, keyFile, trustedCaFile, and the identity's two. */
#define KEYRING_FILES 5

struct keyring {
	_Atomic uint32_t holders;
	struct tls_context *frp;  /* for frpc */
	struct tls_context *adit; /* the identity's */
	/* For an adit that goes by an authority: with frpc's certificate. */
	struct tls_context *adit_ca;
	struct pin_list pins; /* of the identity */
};

/* The main thread's; all zero before keyring_open. */
struct keyring_files {
	const struct settings *settings;
	char *dir; /* the state directory; owned; NULL: none */
	struct identity identity;
	struct certificate *made; /* for frpc, without certFile; owned */
	struct keyring *keyring;  /* the newest; held */
	struct file_stamp stamps[KEYRING_FILES];
	int64_t due;   /* when to look again */
	int64_t again; /* warned: when to read what looks the same */
	bool warned;   /* that they cannot be read now */
};

/*
 * Read or make all keys. `state_dir`: where those that are made are kept; NULL:
 * nowhere, they last as long as the process. 0, or -errno after an error in the
 * log. It may take some milliseconds.
 */
int keyring_open(struct keyring_files *f, const struct settings *settings,
	const char *state_dir) must_check;

/*
 * Keys and authorities for other settings, where these name others; *k_r is
 * NULL where they do not. 0, or -EINVAL with the error. Nobody is told.
 */
int keyring_prepare(struct keyring_files *f, const struct settings *settings,
	struct keyring **k_r,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/*
 * Go by these settings, which outlive their use, and by the keyring that was
 * prepared for them, if any, which is taken over; the workers are told.
 */
void keyring_replace(struct keyring_files *f, const struct settings *settings,
	struct keyring *k, struct server *s);

/*
 * Look at the files if that is due, and tell the server's workers of a change.
 * What cannot be used leaves all as it is, with one warning. Returns in how
 * many ms to look again, -1: never.
 */
int keyring_look(struct keyring_files *f, struct server *s);

void keyring_close(struct keyring_files *f);

/* Any thread. NULL is accepted. */
struct keyring *keyring_hold(struct keyring *k);
void keyring_drop(struct keyring **k);

#endif
