/* SPDX-License-Identifier: Apache-2.0 */

/* What became of looking whether a claim's names are free; the worst last. */

#ifndef ADIT_SERVER_REGISTRY_VERDICT_H
#define ADIT_SERVER_REGISTRY_VERDICT_H

enum verdict {
	VERDICT_FREE,
	VERDICT_WAIT, /* until who has them has let go */
	VERDICT_TAKEN
};

#endif
