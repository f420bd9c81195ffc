/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bounded pool of objects of one size, for one thread. Memory is taken from
 * the system in slabs, when they are needed, and goes back when slabs are
 * empty; of a slab's objects the one given back last is taken first. An object
 * may be named by a handle, which outlives it safely: what leaves its
 * thread is a handle, never a pointer.
 */

#ifndef ADIT_BASE_POOL_H
#define ADIT_BASE_POOL_H

#include <stdint.h>

#include "common/base/compiler.h"

struct pool;

/* Index and generation; the generation 0 names nothing. */
struct handle {
	uint32_t index;
	uint32_t generation;
};

/* A pool of at most `limit` objects of `size` bytes; NULL without memory. */
struct pool *pool_create(size_t size, uint32_t limit) must_check;

/* Free the pool and all objects in it. NULL is accepted. */
void pool_destroy(struct pool **p);

/* A zeroed object, 16-byte aligned; NULL at the limit or without memory. */
void *pool_take(struct pool *p) must_check;

/* Give an object of this pool back; its handles name nothing from now on. */
void pool_give(struct pool *p, void *object);

struct handle pool_handle(const void *object);

/* The object that the handle names, or NULL if it was given back since. */
void *pool_find(struct pool *p, struct handle h);

/* Objects that are out, and the most that can be. */
uint32_t pool_used(const struct pool *p);
uint32_t pool_limit(const struct pool *p);

/* Bytes that the pool takes when all of them are out. */
size_t pool_size_max(const struct pool *p);

/* Call `visit` for each object that is out; it may give back that one. */
void pool_each(struct pool *p, void (*visit)(void *object));

#endif
