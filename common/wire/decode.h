/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a decoded message owns. Private to this room; message_decode() itself
 * is declared in message.h.
 */

#ifndef ADIT_WIRE_DECODE_H
#define ADIT_WIRE_DECODE_H

/* Free what message_decode() left in `owned`; NULL is fine. */
void decode_free(void *owned);

#endif
