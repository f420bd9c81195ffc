/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An intrusive, circular, doubly linked list. The head is a node of its own;
 * an unlinked node points to itself, so unlinking twice is harmless. No
 * memory is owned, no thread is assumed.
 */

#ifndef ADIT_BASE_LIST_H
#define ADIT_BASE_LIST_H

#include <stdbool.h>

#include "common/base/compiler.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Put `node`, which is in no list, last into the list at `head`. */
static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* The same, first in the list. */
static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

/* Take `node` out of whatever list it is in, if any. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Take the first node out of the list; NULL when it is empty. */
static inline struct list *list_take(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

/* Walk the list; the body must not remove a node. */
#define list_each(node, head)                                  \
	for (struct list *node = (head)->next; node != (head); \
		node = node->next)

/* Walk the list; the body may remove `node`, and no other. */
#define list_each_safe(node, head)                                        \
	for (struct list *node = (head)->next, *node##_next = node->next; \
		node != (head); node = node##_next, node##_next = node->next)

#endif
