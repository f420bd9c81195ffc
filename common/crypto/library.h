/* SPDX-License-Identifier: Apache-2.0 */

/* Which library TLS comes from: for --version. */

#ifndef ADIT_CRYPTO_LIBRARY_H
#define ADIT_CRYPTO_LIBRARY_H

#include <stddef.h>

#define LIBRARY_SIZE 512

/* "BoringSSL API 17, /usr/lib/libssl.so": with the path it is loaded from. */
void library_describe(char out[static LIBRARY_SIZE]);

#endif
