/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the cases of tests/corpus, whose README has the format. */

#ifndef ADIT_TESTS_UNIT_CORPUS_H
#define ADIT_TESTS_UNIT_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

#define CORPUS_MESSAGES_MAX 20

struct corpus_bytes {
	char *v;
	size_t size;
};

struct corpus_case {
	char where[64]; /* file and line */
	char name[128];
	struct corpus_bytes sent;
	struct corpus_bytes passed[CORPUS_MESSAGES_MAX];
	unsigned passed_count;
	struct corpus_bytes asked; /* a response's request, if it says so */
	char verdict[64];
	bool cut;      /* the last of `passed` is what passes at most */
	bool accepted; /* whatever the verdict: nobody has that name */
	bool closes;   /* the service ends its side behind it */
};

/*
 * Calls `visit` for each case of tests/corpus/KIND; how many there were. The
 * host is called a.test, the other one b.test.
 */
unsigned corpus_each(
	const char *kind, void (*visit)(const struct corpus_case *c));

#endif
