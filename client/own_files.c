/* SPDX-License-Identifier: Apache-2.0 */

#include "client/own_files.h"

#include <string.h>

void own_files_allow(struct sandbox *sandbox, const struct settings *s)
{
	const char *const read[] = { conf_file(s->conf), s->auth_token_file,
		s->tls_cert_file, s->tls_key_file, s->tls_ca_file };

	for (size_t i = 0; i < ARRAY_SIZE(read); i++)
		sandbox_allow_file(sandbox, read[i], LANDLOCK_READ);
	/* Also the folders of patterns that no file matches yet. */
	for (size_t i = 0; i < s->includes.n; i++)
		sandbox_allow_file(sandbox, s->includes.v[i], LANDLOCK_READ);
	for (size_t i = 0; i < s->source_count; i++)
		sandbox_allow_file(
			sandbox, conf_file(s->sources[i].conf), LANDLOCK_READ);
	if (strcmp(s->log_to, "console"))
		sandbox_allow_file(sandbox, s->log_to, LANDLOCK_LOG);
	sandbox_allow_file(sandbox, s->join_file, LANDLOCK_KEEP);
}
