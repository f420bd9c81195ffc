/* SPDX-License-Identifier: Apache-2.0 */

#include "client/client_id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/state_file.h"
#include "common/base/state_home.h"
#include "common/crypto/random.h"

#define DIGITS (CLIENT_ID_SIZE - 1)

/* All that follow: 0, or -errno with the reason in *why_r. */
static int fail(const char **why_r, int rc)
{
	*why_r = strerrordesc_np(-rc);
	return rc;
}

static int find_file(char path[static PATH_MAX], const char **why_r)
{
	int rc = state_home_find("adit", path, PATH_MAX);

	if (rc == 0)
		rc = state_home_make(path);
	if (rc < 0)
		return fail(why_r, rc);
	rc = state_directory_check(path, why_r);
	if (rc < 0)
		return rc;
	if (strlen(path) + sizeof("/client-id") > PATH_MAX)
		return fail(why_r, -ENAMETOOLONG);
	strcat(path, "/client-id");
	return 0;
}

/* The first that comes makes it; it is never written again. */
static int make_file(const char *path, const char **why_r)
{
	char line[CLIENT_ID_SIZE + 1];
	int rc;

	random_hex(line, DIGITS / 2);
	strcat(line, "\n");
	rc = state_file_create(path, line, strlen(line));
	return rc < 0 && rc != -EEXIST ? fail(why_r, rc) : 0;
}

static int read_file(const char *path, struct client_id *id, const char **why_r)
{
	size_t size;
	char *text;
	int rc = state_file_read(path, &text, &size, why_r);

	if (rc < 0)
		return rc;
	if (strspn(text, "0123456789abcdef") == DIGITS && text[DIGITS] == '\n')
		memcpy(id->text, text, DIGITS);
	else
		rc = -EINVAL;
	free(text);
	if (rc < 0)
		*why_r = "it holds no client id: remove it";
	return rc;
}

/* An end of the process lets go of it, too, however it comes. */
static int lock_file(const char *path, struct client_id *id, const char **why_r)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return fail(why_r, -errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		id->kept = true;
		id->lock = fd;
		return 0;
	}
	rc = -errno;
	close(fd);
	if (rc != -EWOULDBLOCK)
		return fail(why_r, rc);
	*why_r = "another adit goes by it";
	return rc;
}

void client_id_open(struct client_id *id)
{
	char path[PATH_MAX] = "";
	const char *why = "";
	int rc = find_file(path, &why);

	*id = (struct client_id){ 0 };
	if (rc == 0)
		rc = read_file(path, id, &why);
	if (rc == -ENOENT && *path) {
		rc = make_file(path, &why);
		if (rc == 0)
			rc = read_file(path, id, &why);
	}
	if (rc == 0)
		rc = lock_file(path, id, &why);
	if (rc == 0)
		return;
	log_info("client id: %s: %s; this one is for the life of the process",
		*path ? path : "no home directory is known", why);
	random_hex(id->text, DIGITS / 2);
}

void client_id_close(struct client_id *id)
{
	if (id->kept)
		close(id->lock);
	id->kept = false;
}
