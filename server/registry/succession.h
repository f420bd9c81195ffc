/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who makes room for a new control: the one that has its run id; and, where
 * the login was signed, the one whose run id it names and the one that has its
 * client id. Only a control of the same record does. A run id or a client id
 * of others is nobody's, so that nothing is learnt by trying.
 */

#ifndef ADIT_SERVER_REGISTRY_SUCCESSION_H
#define ADIT_SERVER_REGISTRY_SUCCESSION_H

#include "server/registry/registration.h"

struct succession {
	struct registration *old[3]; /* each once */
	size_t count;
	/* Of them, who has the client id and was not told to go; or NULL. */
	struct registration *rival;
};

/*
 * VERDICT_FREE: nobody has to. VERDICT_WAIT: those in `s` have to go first.
 * VERDICT_TAKEN: the run id is another record's, or there is no proof that the
 * claim is not a replay; who has it is not disturbed.
 */
enum verdict succession_look(struct succession *s, const struct names *n,
	const struct claim *c) must_check;

#endif
