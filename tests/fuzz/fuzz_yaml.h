/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The target for a program's configuration file, included behind its
 * settings.h: the file is read by its table, checked, and shown; one without
 * an error is shown as a file without an error.
 */

#ifndef ADIT_TESTS_FUZZ_YAML_H
#define ADIT_TESTS_FUZZ_YAML_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

/* Load the bytes; NULL with errors. */
static struct settings *load(
	const void *data, size_t size, struct conf_errors *errors)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct settings *s = NULL;
	char path[64];

	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(errors, 0, sizeof(*errors));
	if (settings_load(&s, path, errors) < 0)
		must(!s);
	close(fd);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_errors errors;
	struct settings *s = load(data, size, &errors), *again;
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	if (!s) {
		must(errors.n > 0);
		return 0;
	}
	f = open_memstream(&text, &n);
	must(f);
	settings_dump(s, f);
	fclose(f);
	if (errors.n == 0) {
		again = load(text, n, &errors);
		must(again && errors.n == 0);
		settings_free(&again);
	}
	free(text);
	settings_free(&s);
	return 0;
}

#endif
