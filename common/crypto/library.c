/* SPDX-License-Identifier: Apache-2.0 */

/* The dynamic linker knows where a function lies (dladdr(3)). */

#include "common/crypto/library.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>

void library_describe(char out[static LIBRARY_SIZE])
{
	Dl_info info = { 0 };
	/* Functions are addresses here, which C itself does not promise. */
	const void *function = (const void *)(uintptr_t)SSL_CTX_new;
	const char *path = dladdr(function, &info) ? info.dli_fname : NULL;

	snprintf(out, LIBRARY_SIZE, "BoringSSL API %d, %s",
		BORINGSSL_API_VERSION, path ? path : "built in");
}
