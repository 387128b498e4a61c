/* SPDX-License-Identifier: ISC */
/*
 * Rotation for fetch: a list that is loaded by one query and handed out one
 * value at a time, round and round.  Pure: time is a parameter, in ms.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>
#include <stdint.h>

/* Zero it to begin. */
struct source {
	char	**values;
	size_t	 count, next;
	int64_t	 loaded_ms, calls;
	int	 loaded;
};

/* Adds a value unless it is there; 0, or -1 without memory. */
int		 source_add(struct source *, const char *, size_t);
/* Moves the list of `from' into a source that keeps its turn. */
void		 source_load(struct source *, struct source *from, int64_t now);
/*
 * Whether it must be loaded (again): never loaded, loaded expire_ms ago or
 * before, or asked refresh times since.
 */
int		 source_is_stale(const struct source *, int64_t now,
		    int64_t expire_ms, int64_t refresh);
/* The value whose turn it is; NULL if there is none. */
const char	*source_next(struct source *);
void		 source_free(struct source *);

#endif
