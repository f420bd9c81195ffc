/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sockets as adit uses them: TCP, non-blocking, close-on-exec, TCP_NODELAY
 * (without it, Nagle's algorithm and delayed acknowledgements stall a relay
 * for 40 ms; tcp(7)). All functions are quick enough for a ring thread.
 */

#ifndef ADIT_BASE_SOCKET_H
#define ADIT_BASE_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/address.h"

/*
 * A listening socket at the address, port 0 for one that the kernel picks.
 * With SO_REUSEADDR, so a port whose listener was shut down is free at once.
 * Returns the descriptor or -errno.
 */
int socket_listen(const struct address *a) must_check;

/*
 * `n` listening sockets at one address, among which the kernel spreads the
 * connections (SO_REUSEPORT, socket(7)); port 0 for one that it picks. A port
 * that another process listens on is found by a bind without SO_REUSEPORT
 * first: it would be shared silently. 0 and the descriptors; or -errno.
 */
int socket_listen_shared(const struct address *a, int *fds, int n) must_check;

/*
 * A listening Unix socket of the type (SOCK_STREAM, SOCK_SEQPACKET) at the
 * path, for its owner alone; what is there is taken for what a killed process
 * has left. Main thread: it changes the umask(2). The descriptor or -errno.
 */
int socket_listen_local(const char *path, int type, int backlog) must_check;

/*
 * Start to connect, from `local` if it is not NULL. Returns the descriptor or
 * -errno; `*pending_r` says whether the connection is still being made: then
 * the socket polls writable, and socket_error tells the outcome.
 */
int socket_connect(const struct address *a, const struct address *local,
	bool *pending_r) must_check;

/*
 * accept(2): whether it failed for want of something that time may bring.
 * Whoever came is still in the backlog, so that the socket stays readable.
 */
bool socket_is_shortage(int error);

/* The pending error of the socket, as -errno, or 0 (SO_ERROR, socket(7)). */
int socket_error(int fd);

/*
 * Whether the connection was reset, behind bytes that were not read yet, and
 * nobody was told (EPOLLERR, poll(2)). It still will be.
 */
bool socket_is_reset(int fd);

/*
 * Whether the connection, which is over, was reset by the peer without an end:
 * `received` bytes were read from it, modulo 2^32. The end counts as one in
 * tcpi_bytes_received (tcp(7); Linux, tcp_rcv_nxt_update).
 */
bool socket_was_reset(int fd, uint32_t received);

/* The round trip of the connection as TCP has measured it; clock.h. */
int64_t socket_rtt(int fd);

/*
 * Bytes that were sent, and that the other end's kernel has not yet; one less
 * where we connected, as the SYN counts as acknowledged, but not as sent. 0 for
 * what is no TCP.
 */
int64_t socket_on_the_way(int fd);

/* The largest segment that it sends, in bytes (tcp(7)); -errno. */
int socket_segment(int fd);

/*
 * Options of every connected TCP socket; keepalive idle seconds, < 0: off. On
 * a listening one they are those of what it accepts.
 */
void socket_tune(int fd, int64_t keepalive_s);

/*
 * Whether close(2) cuts the connection (RST) instead of ending it (FIN). Every
 * socket begins with true, an accepted one too, so that even a killed process
 * leaves cuts that look cut; who ends one cleanly says so (SO_LINGER,
 * socket(7)).
 */
void socket_set_abort(int fd, bool abort);

/*
 * Whether nothing is left of a TCP connection: both sides have ended and each
 * knows that the other one has heard it, or it was reset. How such a socket is
 * closed makes no difference.
 */
bool socket_is_over(int fd);

/*
 * Who connects to the listening socket speaks first: who has not yet is not
 * accepted, for a second or so (TCP_DEFER_ACCEPT, tcp(7)).
 */
void socket_defer(int fd);

/*
 * Who listens on the port of this address: writes "NAME (pid N)" or "another
 * process" for an error message. True if it was found. Reads /proc; for
 * start-up only.
 */
bool socket_find_owner(const struct address *a, char *text, size_t size);

#endif
