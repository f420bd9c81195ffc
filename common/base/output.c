/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/output.h"

#include <errno.h>
#include <string.h>

bool output_close(FILE *f, const char *program, const char *name)
{
	/* Why an earlier write has failed is not known any more. */
	const char *why = ferror(f) ? "not all of it could be written" : NULL;

	if (fclose(f))
		why = strerror(errno);
	if (why)
		fprintf(stderr, "%s: %s: %s\n", program, name, why);
	return !why;
}

bool output_end(const char *program)
{
	return output_close(stdout, program, "standard output");
}
