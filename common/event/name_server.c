/* SPDX-License-Identifier: Apache-2.0 */

#include "common/event/name_server.h"

#include <ares.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT 53
#define TRY_MS 2000
#define TRIES 2
/* One server, by UDP and by TCP, and those that are being replaced. */
#define SOCKETS_MAX 16

struct name_server {
	ares_channel channel;
	/* What the library waits for. */
	struct pollfd sockets[SOCKETS_MAX];
	nfds_t count;
};

struct question {
	bool answered;
	struct address *addresses;
	int count, max;
	const char *error;
};

/* The library waits for this from now on; for neither: it closes the socket. */
static void note_socket(void *data, ares_socket_t fd, int read, int write)
{
	struct name_server *n = data;
	short events = (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
	nfds_t i = 0;

	while (i < n->count && n->sockets[i].fd != fd)
		i++;
	if (events && i < SOCKETS_MAX) {
		n->sockets[i] = (struct pollfd){ fd, events, 0 };
		n->count += i == n->count;
	} else if (!events && i < n->count) {
		n->sockets[i] = n->sockets[--n->count];
	}
}

int name_server_create(struct name_server **n_r, const char *server)
{
	struct ares_options options = { .timeout = TRY_MS,
		.tries = TRIES,
		.lookups = (char[]){ "fb" },
		.sock_state_cb = note_socket };
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
		   ARES_OPT_SOCK_STATE_CB;
	char host[ADDRESS_HOST_SIZE], text[ADDRESS_HOST_SIZE + 16];
	struct name_server *n;
	uint16_t port;

	if (address_split(server, host, &port, DNS_PORT) < 0)
		return -EINVAL;
	address_join(text, sizeof(text), host, port);
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	options.sock_state_cb_data = n;
	if (ares_init_options(&n->channel, &options, mask) != ARES_SUCCESS) {
		free(n);
		return -ENOMEM;
	}
	if (ares_set_servers_ports_csv(n->channel, text) != ARES_SUCCESS) {
		name_server_destroy(&n);
		return -EINVAL;
	}
	*n_r = n;
	return 0;
}

void name_server_destroy(struct name_server **np)
{
	struct name_server *n = *np;

	*np = NULL;
	if (!n)
		return;
	ares_destroy(n->channel);
	free(n);
}

static void answered(
	void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct question *q = arg;

	(void)timeouts;
	q->answered = true;
	if (status != ARES_SUCCESS) {
		q->error = ares_strerror(status);
		return;
	}
	for (struct ares_addrinfo_node *i = list->nodes; i; i = i->ai_next) {
		struct address *a = &q->addresses[q->count];

		if (q->count == q->max || i->ai_addrlen > sizeof(a->v6))
			continue;
		memcpy(&a->v6, i->ai_addr, i->ai_addrlen);
		a->size = i->ai_addrlen;
		q->count++;
	}
	ares_freeaddrinfo(list);
}

/* Wait for what the library waits for, and let it go on. */
static void go_on(struct name_server *n)
{
	struct pollfd polls[SOCKETS_MAX];
	struct timeval most = { 1, 0 }, tv, *t;
	nfds_t count = n->count;

	/* What it does changes its sockets. */
	memcpy(polls, n->sockets, sizeof(polls));
	t = ares_timeout(n->channel, &most, &tv);
	poll(polls, count, (int)(t->tv_sec * 1000 + t->tv_usec / 1000) + 1);
	/* Also without an event: its time limits. */
	ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (nfds_t i = 0; i < count; i++)
		if (polls[i].revents)
			ares_process_fd(n->channel, polls[i].fd,
				polls[i].revents & POLLOUT ? polls[i].fd
							   : ARES_SOCKET_BAD);
}

int name_server_ask(struct name_server *n, const char *host,
	struct address *addresses, int max, const char **error_r)
{
	struct ares_addrinfo_hints hints = { .ai_flags = ARES_AI_NOSORT,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct question q = { .addresses = addresses, .max = max };

	ares_getaddrinfo(n->channel, host, NULL, &hints, answered, &q);
	while (!q.answered)
		go_on(n);
	if (q.count == 0)
		*error_r = q.error ? q.error : "no address";
	return q.count;
}
