/* SPDX-License-Identifier: ISC */
/*
 * Answers that may be given again for a while.  Pure: time is a parameter,
 * in ms.  The least recently used answer makes room for a new one.
 */
#ifndef CACHE_H
#define CACHE_H

#include "table.h"

struct cache;

/* NULL without memory.  At most `size' answers, each for ttl_ms. */
struct cache	*cache_new(size_t size, int64_t ttl_ms);
void		 cache_free(struct cache *);

/* What was asked. */
struct cache_key {
	enum table_operation	 operation;
	enum table_service	 service;
	struct table_column	 key;
};

/*
 * 1 and the value that was put, until the next call of any cache function; 0
 * if there is none, or an old one.  NULL data is `not-found'.
 */
int		 cache_get(struct cache *, const struct cache_key *,
		    int64_t now, struct table_column *value);
/* Copies both.  Without memory the answer is not kept, which is no harm. */
void		 cache_put(struct cache *, const struct cache_key *,
		    int64_t now, struct table_column value);

#endif
