/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug: the address job, with UBSan in it, must report it. */

#include <limits.h>

int main(int argc, char **argv)
{
	int n = INT_MAX;

	(void)argv;
	n += argc;
	return n == 0;
}
