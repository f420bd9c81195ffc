/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug: the address job must report it. */

#include <stdlib.h>

static char *volatile freed;

int main(void)
{
	freed = calloc(1, 8);
	free(freed);
	return freed[3];
}
