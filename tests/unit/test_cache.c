/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdio.h>

#include "cache.h"

static struct cache_key
key(enum table_operation operation, enum table_service service, const char *s)
{
	struct cache_key	 k = { operation, service, { s, strlen(s) } };

	return k;
}

static void
put(struct cache *c, const char *k, const char *v, int64_t now)
{
	struct cache_key	 ck = key(TABLE_LOOKUP, TABLE_ALIAS, k);
	struct table_column	 value = { v, v == NULL ? 0 : strlen(v) };

	cache_put(c, &ck, now, value);
}

/* "-" for no entry, "NULL" for not-found. */
static const char *
got(struct cache *c, const char *k, int64_t now)
{
	static char		 text[64];
	struct cache_key	 ck = key(TABLE_LOOKUP, TABLE_ALIAS, k);
	struct table_column	 v;

	if (!cache_get(c, &ck, now, &v))
		return "-";
	snprintf(text, sizeof(text), "%.*s", v.data == NULL ? 4 : (int)v.len,
	    v.data == NULL ? "NULL" : v.data);
	return text;
}

static void
answers_come_back(void **state)
{
	struct cache		*c = cache_new(10, 1000);
	struct cache_key	 other;
	struct table_column	 v;

	(void)state;
	assert_string_equal(got(c, "a", 0), "-");
	put(c, "a", "x", 0);
	put(c, "b", NULL, 0);
	put(c, "c", "", 0);
	assert_string_equal(got(c, "a", 0), "x");
	assert_string_equal(got(c, "b", 0), "NULL");
	assert_string_equal(got(c, "c", 0), "");
	put(c, "a", "y", 0);
	assert_string_equal(got(c, "a", 0), "y");
	/* Another service, another operation: another question. */
	other = key(TABLE_CHECK, TABLE_ALIAS, "a");
	assert_false(cache_get(c, &other, 0, &v));
	other = key(TABLE_LOOKUP, TABLE_DOMAIN, "a");
	assert_false(cache_get(c, &other, 0, &v));
	cache_free(c);
}

static void
answers_grow_old(void **state)
{
	struct cache	*c = cache_new(10, 1000);

	(void)state;
	put(c, "a", "x", 500);
	assert_string_equal(got(c, "a", 1499), "x");
	assert_string_equal(got(c, "a", 1500), "-");
	/* Being asked does not make it young. */
	put(c, "a", "x", 0);
	got(c, "a", 999);
	assert_string_equal(got(c, "a", 1000), "-");
	cache_free(c);
}

static void
the_least_used_makes_room(void **state)
{
	struct cache	*c = cache_new(3, 1000);

	(void)state;
	put(c, "a", "1", 0);
	put(c, "b", "2", 0);
	put(c, "c", "3", 0);
	got(c, "a", 0);
	put(c, "d", "4", 0);
	assert_string_equal(got(c, "b", 0), "-");
	assert_string_equal(got(c, "a", 0), "1");
	assert_string_equal(got(c, "c", 0), "3");
	assert_string_equal(got(c, "d", 0), "4");
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(answers_grow_old),
		cmocka_unit_test(the_least_used_makes_room)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
