/* SPDX-License-Identifier: Apache-2.0 */

/* open(2), read(2); then BoringSSL's reader of PEM, over memory. */

#include "common/crypto/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What to do about a file that cannot be read. */
static const char *advice(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return "correct the path, or put a PEM file there";
	case EACCES:
	case EPERM:
		return "let this user read it";
	case EFBIG:
		return "give a PEM file of at most 1 MiB";
	default:
		return "give a PEM file that can be read";
	}
}

/* Up to its end: how many bytes, or -errno. */
static ssize_t read_all(int fd, char *to, size_t room)
{
	size_t size = 0;

	for (;;) {
		ssize_t n = read(fd, to + size, room - size);

		if (n == 0)
			return (ssize_t)size;
		if (n > 0)
			size += (size_t)n;
		else if (errno != EINTR)
			return -errno;
		if (size == room)
			return -EFBIG;
	}
}

static ssize_t read_file(const char *file, char *to, size_t room)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_all(fd, to, room);
	close(fd);
	return n;
}

int pem_load(struct pem *p, const char *file,
	char error[static CERTIFICATE_ERROR_SIZE])
{
	char *text = OPENSSL_malloc(PEM_FILE_MAX + 1);
	ssize_t n = text ? read_file(file, text, PEM_FILE_MAX + 1) : -ENOMEM;

	if (n < 0) {
		OPENSSL_free(text);
		snprintf(error, CERTIFICATE_ERROR_SIZE, "%s: %s: %s", file,
			strerror((int)-n), advice((int)-n));
		return (int)n;
	}
	p->text = text;
	p->size = (size_t)n;
	p->name = file;
	return 0;
}

/* OPENSSL_free() wipes what it frees. */
void pem_free(struct pem *p)
{
	OPENSSL_free((void *)p->text);
	p->text = NULL;
}

/* Whether the reader stopped as there was nothing more to read. */
static bool at_end(void)
{
	uint32_t e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM &&
	       ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static int take_all(BIO *bio, pem_take *take, void *arg)
{
	uint8_t *der;
	long size;
	int n = 0;

	while (PEM_bytes_read_bio(
		&der, &size, NULL, PEM_STRING_X509, bio, NULL, NULL)) {
		int result = take(arg, der, (size_t)size);

		OPENSSL_free(der);
		if (result < 0)
			return result;
		n++;
	}
	return at_end() ? n : -EINVAL;
}

int pem_certificates(const struct pem *p, pem_take *take, void *arg)
{
	BIO *bio = BIO_new_mem_buf(p->text, (int)p->size);
	int n = -ENOMEM;

	ERR_clear_error();
	if (bio)
		n = take_all(bio, take, arg);
	BIO_free(bio);
	ERR_clear_error();
	return n;
}
