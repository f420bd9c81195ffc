/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into a program (LD_PRELOAD), it counts allocations into the file
 * that COUNTING_FILE names, eight bytes that a test can read at any time.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t here;
static _Atomic uint64_t *calls = &here;

__attribute__((constructor)) static void open_file(void)
{
	const char *path = getenv("COUNTING_FILE");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(here)) < 0)
		return;
	p = mmap(NULL, sizeof(here), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		calls = p;
	close(fd);
}

/* glibc's own names, so that nothing has to be looked up. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);

void *malloc(size_t size)
{
	atomic_fetch_add(calls, 1);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	atomic_fetch_add(calls, 1);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	atomic_fetch_add(calls, 1);
	return __libc_realloc(p, size);
}
