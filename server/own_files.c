/* SPDX-License-Identifier: Apache-2.0 */

#include "server/own_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

enum {
	READ_MAX = 7,
	LOGS_MAX = 2
};

/* Files that are read again; some are "" or NULL. */
static void list_read(
	const char *list[static READ_MAX], const struct settings *s)
{
	const char *const all[READ_MAX] = { conf_file(s->conf),
		s->auth_token_file, s->users_file, s->tls_cert_file,
		s->tls_key_file, s->tls_ca_file, s->custom_404_page };

	memcpy(list, all, sizeof(all));
}

/* Those that are written; NULL for one that is none. */
static void list_logs(
	const char *list[static LOGS_MAX], const struct settings *s)
{
	list[0] = strcmp(s->log_to, "console") ? s->log_to : NULL;
	list[1] = strcmp(s->access_log_to, "console") ? s->access_log_to : NULL;
}

void own_files_allow(struct sandbox *sandbox, const struct settings *s,
	const char *state_dir)
{
	const char *read[READ_MAX], *logs[LOGS_MAX];

	list_read(read, s);
	list_logs(logs, s);
	for (size_t i = 0; i < READ_MAX; i++)
		sandbox_allow_file(sandbox, read[i], LANDLOCK_READ);
	for (size_t i = 0; i < LOGS_MAX; i++)
		sandbox_allow_file(sandbox, logs[i], LANDLOCK_LOG);
	sandbox_allow(sandbox, state_dir, LANDLOCK_KEEP);
}

static void try_to_open(const char *path, int flags, const char *what)
{
	int fd;

	if (!path || !*path)
		return;
	fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EACCES || errno == EPERM)
		log_warn("%s cannot be %s again by user %u, without the "
			 "capabilities of root: %s; see sandbox and runAs in "
			 "the manual",
			path, what, (unsigned)geteuid(), strerror(errno));
}

void own_files_check(const struct settings *s, const char *state_dir)
{
	const char *read[READ_MAX], *logs[LOGS_MAX];

	list_read(read, s);
	list_logs(logs, s);
	for (size_t i = 0; i < READ_MAX; i++)
		try_to_open(read[i], O_RDONLY, "read");
	for (size_t i = 0; i < LOGS_MAX; i++)
		try_to_open(logs[i], O_WRONLY | O_APPEND, "opened");
	if (state_dir &&
		faccessat(AT_FDCWD, state_dir, W_OK | X_OK, AT_EACCESS) < 0)
		log_warn("stateDir: %s cannot be written to: %s", state_dir,
			strerror(errno));
}
