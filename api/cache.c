/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

/* A new answer that memory can't be had for is left out. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(e)	((e)->lost = 1)
#include <uthash.h>

#include "cache.h"
#include "service.h"

struct entry {
	UT_hash_handle	 hh;
	int64_t		 put_ms;
	int		 found, lost;
	size_t		 key_len, value_len;
	char		*value;
	char		 key[];
};

struct cache {
	struct entry	*entries;	/* the least recently used one first */
	size_t		 size;
	int64_t		 ttl_ms;
};

/* Operation and service in two bytes, then the key. */
static struct entry *
new_entry(const struct cache_key *k, size_t extra)
{
	struct entry	*e;

	if ((e = calloc(1, sizeof(*e) + 2 + k->key.len + extra)) == NULL)
		return NULL;
	e->key[0] = (char)k->operation;
	e->key[1] = (char)service_index(k->service);
	if (k->key.len > 0)
		memcpy(e->key + 2, k->key.data, k->key.len);
	e->key_len = 2 + k->key.len;
	e->value = e->key + e->key_len;
	e->value_len = extra;
	return e;
}

static void
drop(struct cache *cache, struct entry *e)
{
	HASH_DEL(cache->entries, e);
	free(e);
}

struct cache *
cache_new(size_t size, int64_t ttl_ms)
{
	struct cache	*cache;

	if ((cache = calloc(1, sizeof(*cache))) != NULL) {
		cache->size = size;
		cache->ttl_ms = ttl_ms;
	}
	return cache;
}

void
cache_free(struct cache *cache)
{
	while (cache != NULL && cache->entries != NULL)
		drop(cache, cache->entries);
	free(cache);
}

/* The entry of a key, made the most recently used one. */
static struct entry *
find(struct cache *cache, const struct cache_key *k)
{
	struct entry	*wanted, *e = NULL;

	if ((wanted = new_entry(k, 0)) == NULL)
		return NULL;
	HASH_FIND(hh, cache->entries, wanted->key, wanted->key_len, e);
	free(wanted);
	if (e != NULL) {
		HASH_DEL(cache->entries, e);
		HASH_ADD_KEYPTR(hh, cache->entries, e->key, e->key_len, e);
		if (e->lost) {
			free(e);
			e = NULL;
		}
	}
	return e;
}

int
cache_get(struct cache *cache, const struct cache_key *k, int64_t now,
    struct table_column *value)
{
	struct entry	*e = find(cache, k);

	if (e == NULL)
		return 0;
	if (now - e->put_ms >= cache->ttl_ms) {
		drop(cache, e);
		return 0;
	}
	value->data = e->found ? e->value : NULL;
	value->len = e->value_len;
	return 1;
}

void
cache_put(struct cache *cache, const struct cache_key *k, int64_t now,
    struct table_column value)
{
	struct entry	*e;

	if (cache->size == 0)
		return;
	if ((e = find(cache, k)) != NULL)
		drop(cache, e);
	while (HASH_COUNT(cache->entries) >= cache->size)
		drop(cache, cache->entries);
	if ((e = new_entry(k, value.data == NULL ? 0 : value.len)) == NULL)
		return;
	e->put_ms = now;
	e->found = value.data != NULL;
	if (e->value_len > 0)
		memcpy(e->value, value.data, e->value_len);
	HASH_ADD_KEYPTR(hh, cache->entries, e->key, e->key_len, e);
	if (e->lost)
		free(e);
}
