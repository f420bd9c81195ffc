/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is particular about a visitor on vhostHTTPSPort: the name that its TLS
 * asks for says whose it is. Nothing is decrypted; once it is routed, it is a
 * visitor like one of tcp, whose first bytes are the untouched ClientHello.
 * Who asks for a name that no proxy has is told so by an alert.
 */

#ifndef ADIT_SERVER_VISITOR_HTTPS_VISITOR_H
#define ADIT_SERVER_VISITOR_HTTPS_VISITOR_H

struct address;
struct listener;
struct stream;
struct visitor;
struct worker;

/* Of the listener on vhostHTTPSPort. */
void https_visitor_accept(struct listener *l, int fd);

/*
 * One whose stream, taken over, came to a port of clients as well; what it has
 * said is unread.
 */
void https_visitor_adopt(
	struct worker *w, struct stream *s, const struct address *peer);

/* Visitors are held no more (worker_holds): its ClientHello is read. */
void https_visitor_resume(struct visitor *v);

/* The worker drains: one that has said nothing yet ends. */
void https_visitor_drain(struct visitor *v);

#endif
