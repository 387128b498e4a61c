/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include "source.h"

static void
load(struct source *s, const char *const *values, size_t n, int64_t now)
{
	struct source	 list;
	size_t		 i;

	memset(&list, 0, sizeof(list));
	for (i = 0; i < n; i++)
		assert_int_equal(source_add(&list, values[i],
		    strlen(values[i])), 0);
	source_load(s, &list, now);
}

static void
round_and_round(void **state)
{
	static const char *const list[] = { "b", "a", "b", "c" };
	struct source	 s;

	(void)state;
	memset(&s, 0, sizeof(s));
	load(&s, list, 4, 0);
	assert_int_equal(s.count, 3);
	assert_string_equal(source_next(&s), "b");
	assert_string_equal(source_next(&s), "a");
	assert_string_equal(source_next(&s), "c");
	assert_string_equal(source_next(&s), "b");
	/* A list that is read again goes on where it was. */
	load(&s, list, 4, 1);
	assert_string_equal(source_next(&s), "a");
	/* A shorter one begins anew. */
	load(&s, list, 1, 2);
	assert_string_equal(source_next(&s), "b");
	source_free(&s);
}

static void
staleness(void **state)
{
	static const char *const list[] = { "a" };
	struct source	 s;

	(void)state;
	memset(&s, 0, sizeof(s));
	assert_true(source_is_stale(&s, 0, 60000, 1000));
	load(&s, list, 1, 500);
	assert_false(source_is_stale(&s, 500, 60000, 1000));
	assert_false(source_is_stale(&s, 60499, 60000, 1000));
	assert_true(source_is_stale(&s, 60500, 60000, 1000));
	source_next(&s);
	assert_false(source_is_stale(&s, 500, 60000, 2));
	source_next(&s);
	assert_true(source_is_stale(&s, 500, 60000, 2));
	/* 0 of either: read at each fetch. */
	load(&s, list, 1, 500);
	assert_true(source_is_stale(&s, 500, 0, 1000));
	assert_true(source_is_stale(&s, 500, 60000, 0));
	source_free(&s);
}

static void
an_empty_list(void **state)
{
	struct source	 s;

	(void)state;
	memset(&s, 0, sizeof(s));
	load(&s, NULL, 0, 0);
	assert_false(source_is_stale(&s, 0, 60000, 1000));
	assert_null(source_next(&s));
	source_free(&s);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(round_and_round),
		cmocka_unit_test(staleness),
		cmocka_unit_test(an_empty_list)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
