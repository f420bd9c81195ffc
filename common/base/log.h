/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The log. A line is made where it is needed and written by the main thread:
 * a worker puts it into a byte ring of its own, without lock or system call
 * but a wake-up, and drops it (counted) when that is full. A thread without a
 * ring writes directly. While nobody takes what is written, it waits in the
 * rings and in a buffer; what finds no room there is dropped, too.
 *
 *   2026-11-24 10:00:00.123 info msg="login to server success" key=value
 *
 * Whatever came from outside is escaped, so that a line stays a line.
 */

#ifndef ADIT_BASE_LOG_H
#define ADIT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

enum log_level {
	LOG_TRACE,
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
};
enum log_format {
	LOG_TEXT,
	LOG_JSON
};

/*
 * Write to `fd`, which stays the caller's, what is at least of `level`.
 * Called once, before other threads are started.
 */
void log_open(int fd, enum log_level level, enum log_format format);

/* Any thread: from now on, what is at least of this level. */
void log_set_level(enum log_level level);

/*
 * From now on the level of a text line has its color if `wanted`, the lines go
 * to a terminal and the environment has no NO_COLOR (no-color.org).
 */
void log_set_color(bool wanted);

/* Before other threads: the log's descriptor is of another file now. */
void log_moved(bool wants_color);

/* Whether the descriptor is a terminal and the environment has no NO_COLOR. */
bool log_may_color(int fd);

/*
 * From now on warnings and errors go to this descriptor, too, unless that is
 * what the log is written to; -1: no more. While no other thread logs.
 */
void log_set_echo(int fd);

/* Takes n bytes, which are whole lines, off the hands of any thread. */
typedef void log_writer_fn(void *arg, const char *text, size_t n);

/*
 * From now on lines go to this function instead of the descriptor; NULL: to
 * that again. While no other thread logs.
 */
void log_set_writer(log_writer_fn *writer, void *arg);
/*
 * The descriptor is that of this file, whose name outlives the log; then
 * log_reopen lets what stands at that name now take its place: a file that was
 * renamed is left. 0 or -errno, and the old one stays; without a name nothing
 * happens.
 */
void log_set_file(const char *path);
int log_reopen(void) must_check;

/* A descriptor of the file to be written, or -errno. A FIFO needs no reader. */
int log_open_file(const char *path) must_check;

/* Give the calling thread a ring; -ENOMEM. Drained until the process ends. */
int log_attach(void) must_check;

/* A descriptor that polls readable when log_drain has something to write. */
int log_wakeup_fd(void);

/* Main thread: write what the other threads left in their rings. */
void log_drain(void);

/*
 * Main thread: nobody is to wait from now on until somebody takes what is
 * written; or, as in the beginning, a line is worth a second to wait.
 */
void log_hurry(bool wanted);

/* Polls writable when log_drain can go on with what nobody took; -1: none. */
int log_stuck_fd(void);

bool log_enabled(enum log_level level);

/*
 * Log one line of at most 2 KiB (the rest is cut). `pairs` is NULL or the
 * strings key, value, key, value, ..., NULL: see LOG_PAIRS.
 */
void log_write(enum log_level level, const char *const *pairs, const char *fmt,
	...) printf_like(3, 4);

#define LOG_PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define log_debug(...) log_write(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, NULL, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, NULL, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, NULL, __VA_ARGS__)

/* As log_write, for a text of any length that is ours (the counters). */
void log_long(enum log_level level, const char *text);

/* Each line of the text, which ends in none or in a line feed, behind that. */
void log_lines(enum log_level level, const char *before, const char *text);

#endif
