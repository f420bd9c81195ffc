/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A proxy is one published service: a TCP port, or hosts on vhostHTTPPort.
 * It belongs to a control and goes with it; visitors that are being served
 * outlive it.
 */

#ifndef ADIT_SERVER_PROXY_H
#define ADIT_SERVER_PROXY_H

#include "common/base/list.h"
#include "common/base/reason.h"
#include "common/wire/message.h"
#include "server/listener.h"

#define PROXY_ERROR_SIZE 512

/* The longest name of a proxy, in bytes. */
#define PROXY_NAME_MAX 4096

struct control;

enum proxy_type {
	PROXY_TCP,
	PROXY_HTTP
};

struct proxy {
	struct control *control;
	struct list link;     /* control's proxies */
	struct list visitors; /* visitor.of_proxy: waiting or being served */
	char *name;
	struct listener *listener; /* tcp */
	char **hosts;              /* http, normalised */
	size_t host_count;
	uint16_t port; /* tcp */
	uint8_t type;  /* enum proxy_type */
};

/*
 * Open what NewProxy asks for. 0, and in `remote_r` its public address as frp
 * writes it (from malloc); or -1 and frp's text in `error`.
 */
int proxy_open(struct control *c, const struct message_new_proxy *m,
	char **remote_r, char error[static PROXY_ERROR_SIZE]) must_check;

/* Close it; visitors that wait are turned away for the reason. */
void proxy_close(struct proxy *p, enum reason why);

#endif
