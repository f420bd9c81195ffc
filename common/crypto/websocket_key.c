/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/websocket_key.h"

#include <openssl/sha.h>
#include <string.h>

#include "common/crypto/base64.h"
#include "common/crypto/random.h"

void websocket_key_make(char out[static 25])
{
	char bytes[16];

	random_bytes(bytes, sizeof(bytes));
	base64_encode(out, bytes, sizeof(bytes));
}

void websocket_key_accept(char out[static 29], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA_DIGEST_LENGTH];
	SHA_CTX sha;

	SHA1_Init(&sha);
	SHA1_Update(&sha, key, strlen(key));
	SHA1_Update(&sha, guid, sizeof(guid) - 1);
	SHA1_Final(digest, &sha);
	base64_encode(out, digest, sizeof(digest));
}
