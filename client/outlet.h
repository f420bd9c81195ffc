/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An outlet is a descriptor that may take nothing for any time, and text that
 * waits for it, bounded. One thread.
 */

#ifndef ADIT_CLIENT_OUTLET_H
#define ADIT_CLIENT_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#define OUTLET_SIZE 65536

struct outlet {
	int fd;
	bool dead;   /* nobody reads any more: text goes nowhere */
	size_t size; /* of the text that waits */
	char text[OUTLET_SIZE];
};

/* Add text to what waits; false: there is no room, nothing was added. */
bool outlet_add(struct outlet *o, const char *text, size_t n);

/* Whether something can be written within so many milliseconds. */
bool outlet_has_room(const struct outlet *o, int timeout);

/* Write n bytes at once, before what waits, however long it takes. */
void outlet_write(struct outlet *o, const char *text, size_t n);

/* The same with what waits. */
void outlet_pour(struct outlet *o);

/*
 * Write of the waiting lines what is taken without waiting longer than so many
 * milliseconds for a piece of it. A pipe is given whole lines, so that they
 * stay whole between those of others.
 */
void outlet_print(struct outlet *o, int timeout);

#endif
