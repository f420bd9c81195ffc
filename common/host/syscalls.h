/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which system calls the programs make once they run, by the table in
 * syscalls.def, and a filter of the kernel's (seccomp(2)) that refuses all
 * others with EPERM.
 *
 * Why EPERM and not the end of the process: libraries change under a program
 * that is installed, and a call that nobody has seen then costs what it was for
 * and not every visitor's connection; who has got into the program gains no
 * more by asking twice. The kernel logs each refusal, where it has audit.
 */

#ifndef ADIT_HOST_SYSCALLS_H
#define ADIT_HOST_SYSCALLS_H

#include <stdio.h>

#include "common/base/compiler.h"

/* Whose call a row is. */
enum syscalls_of {
	SYSCALLS_ADITD = 1,
	SYSCALLS_ADIT = 2,
	SYSCALLS_BOTH = SYSCALLS_ADITD | SYSCALLS_ADIT
};

/* What a row allows. */
enum syscalls_how {
	SYSCALLS_ANY,    /* every call */
	SYSCALLS_EQUAL,  /* with this 32-bit value as the argument */
	SYSCALLS_WITHOUT /* without any of these bits in the argument */
};

struct syscalls_row {
	const char *name;
	const char *argument; /* as the table has it, "fcntl F_GETFL"; NULL */
	const char *reason;
	enum syscalls_of of;
	enum syscalls_how how;
	unsigned index; /* of the argument, from 0 */
	unsigned value;
};

extern const struct syscalls_row syscalls_rows[];
extern const size_t syscalls_count;

/*
 * The filter of this program, for all threads of the process, for good. 0 or
 * -errno: where the kernel has no filters, or another filter refuses this one.
 */
int syscalls_restrict(enum syscalls_of program) must_check;

/* The number of a call here; below 0: there is none of this name. */
int syscalls_number(const char *name);

/* Write that filter into a file, as classic BPF; 0 or -errno. */
int syscalls_export(enum syscalls_of program, int fd) must_check;

/* Write config/syscalls.txt, the table to be read. */
void syscalls_list(FILE *out);

#endif
