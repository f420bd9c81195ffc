/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What every target has. A target is linked with libFuzzer (`make fuzz`), or
 * with replay.c, which shows it each file of its corpus once (`make check`).
 */

#ifndef ADIT_TESTS_FUZZ_H
#define ADIT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's name and contract: returns 0, and aborts when it finds fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define must(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
