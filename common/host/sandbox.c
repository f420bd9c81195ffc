/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/heap.h"
#include "common/base/log.h"
#include "common/base/process.h"

static void allow_system(struct sandbox *s)
{
	static const struct {
		const char *path;
		enum syscalls_of of;
		bool is_name;
	} rows[] = {
#define TREE(path_, of_, reason) { path_, SYSCALLS_##of_, false },
#define NAME(path_, of_, reason) { path_, SYSCALLS_##of_, true },
#include "common/host/paths.def"
#undef TREE
#undef NAME
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(rows[i].of & s->program))
			continue;
		if (rows[i].is_name)
			sandbox_allow_file(s, rows[i].path, LANDLOCK_READ);
		else
			sandbox_allow(s, rows[i].path, LANDLOCK_READ);
	}
}

void sandbox_open(struct sandbox *s, enum syscalls_of program, bool wanted)
{
	*s = (struct sandbox){ .program = program };
	if (!wanted) {
		log_info("sandbox: off, as configured");
		return;
	}
	if (process_is_sanitized()) {
		log_info("sandbox: off, as in every build with sanitizers");
		return;
	}
	s->state = SANDBOX_OPEN;
	s->landlock_error = landlock_open(&s->landlock);
	if (s->landlock_error < 0)
		log_debug("sandbox: no landlock: %s",
			strerror(-s->landlock_error));
	allow_system(s);
}

static bool takes_files(const struct sandbox *s, const char *path)
{
	return s->state == SANDBOX_OPEN && s->landlock_error == 0 && path &&
	       *path;
}

void sandbox_allow(
	struct sandbox *s, const char *path, enum landlock_access access)
{
	if (takes_files(s, path))
		landlock_allow(&s->landlock, path, access);
}

void sandbox_allow_file(
	struct sandbox *s, const char *path, enum landlock_access access)
{
	if (takes_files(s, path))
		landlock_allow_file(&s->landlock, path, access);
}

void sandbox_enter(struct sandbox *s, int keep)
{
	int rc;

	if (s->state != SANDBOX_OPEN)
		return;
	s->state = SANDBOX_ENTERED;
	process_forbid_dumps();
	rc = privileges_drop(keep);
	if (rc < 0)
		log_warn("sandbox: capabilities cannot be given up: %s",
			strerror(-rc));
	if (s->landlock_error < 0)
		return;
	s->landlock_error = landlock_close(&s->landlock);
	if (s->landlock_error < 0)
		log_warn("sandbox: landlock: %s", strerror(-s->landlock_error));
}

void sandbox_close(struct sandbox *s)
{
	const char *kept;
	char files[32] = "";
	int rc;

	if (s->state != SANDBOX_ENTERED)
		return;
	s->state = SANDBOX_CLOSED;
	rc = syscalls_restrict(s->program);
	/* The filter's parts were many, and are the kernel's now. */
	heap_trim();
	kept = privileges_have_ports() ? "net_bind_service" : "none";
	if (s->landlock_error == 0)
		snprintf(
			files, sizeof(files), "landlock %d, ", s->landlock.abi);
	if (rc == 0)
		log_info("sandbox: seccomp, %scapabilities %s", files, kept);
	else
		log_warn("sandbox: %scapabilities %s; without seccomp, which "
			 "this kernel or its container refuses: %s",
			files, kept, strerror(-rc));
}
