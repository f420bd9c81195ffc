/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lines on their way to where the log is written. They wait in a buffer while
 * the descriptor takes nothing, as a pipe that nobody reads: nobody here waits
 * for it, but for a second while not hurried. For any thread, but as said.
 */

#ifndef ADIT_BASE_LOG_OUT_H
#define ADIT_BASE_LOG_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

/* What finds room when nothing waits, at least. */
#define LOG_OUT_SIZE ((size_t)512 * 1024)

/* Write to this descriptor, which stays the caller's. Before other threads. */
void log_out_open(int fd);

/*
 * Let this one take its place and number, as other threads know that; a line
 * that is torn is. 0 or -errno.
 */
int log_out_change(int fd) must_check;

/*
 * Whole lines, n bytes and m bytes behind them, are to be written at the next
 * flush. False: there is no room, and nothing was done.
 */
bool log_out_add(
	const char *text, size_t n, const char *more, size_t m) must_check;

/* Write what is taken. What fails is lost. */
void log_out_flush(void);

/* Main thread: whether a flush waits for somebody as little as it can. */
void log_out_hurry(bool wanted);

/* The descriptor if something is left because it takes no more, else -1. */
int log_out_stuck_fd(void);

#endif
