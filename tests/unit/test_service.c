/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include "service.h"

static struct service_value	value;

/* The value of rows that are all alike in their number of columns. */
static const char *
made(enum table_service s, size_t rows, size_t n,
    const struct table_column *cols)
{
	size_t	 i;

	memset(&value, 0, sizeof(value));
	for (i = 0; i < rows; i++)
		service_add_row(&value, s, cols + i * n, n);
	if (value.error == NULL)
		value.error = service_validate(s, value.text, value.len);
	return value.error == NULL ? value.text : NULL;
}

#define MADE(s, rows, ...) made((s), (rows),				\
	sizeof((struct table_column[]){ __VA_ARGS__ }) /		\
	sizeof(struct table_column) / (rows),				\
	(const struct table_column[]){ __VA_ARGS__ })

#define ASSERT_MADE(text, ...)	assert_string_equal(MADE(__VA_ARGS__), (text))
#define ASSERT_REFUSED(why, ...) do {					\
	assert_null(MADE(__VA_ARGS__));					\
	assert_non_null(strstr(value.error, (why)));			\
} while (0)

static void
names_and_bits(void **state)
{
	static const char *const names[] = { "alias", "domain", "credentials",
	    "netaddr", "userinfo", "source", "mailaddr", "addrname",
	    "mailaddrmap", "relayhost", "string", "regex", "auth" };
	unsigned int	 i;

	(void)state;
	for (i = 0; i < TABLE_NSERVICES; i++) {
		assert_string_equal(service_name(service_at(i)), names[i]);
		assert_int_equal(service_parse(names[i], strlen(names[i])),
		    1 << i);
		assert_int_equal(service_index(service_at(i)), i);
	}
	assert_int_equal(service_parse("aliases", 7), 0);
	assert_int_equal(service_parse("alia", 4), 0);
	assert_int_equal(service_parse("", 0), 0);
	assert_null(service_name((enum table_service)3));
	assert_null(service_name((enum table_service)0x2000));
	assert_int_equal(operation_parse("fetch", 5), TABLE_FETCH);
	assert_int_equal(operation_parse("fetc", 4), -1);
}

static void
rows_become_values(void **state)
{
	(void)state;
	ASSERT_MADE("a, b", TABLE_ALIAS, 2, COL("a"), COL("b"));
	ASSERT_MADE("a@x, @y", TABLE_MAILADDRMAP, 2, COL("a@x"), COL("@y"));
	ASSERT_MADE("bob:h", TABLE_CREDENTIALS, 1, COL("bob"), COL("h"));
	ASSERT_MADE("hash", TABLE_CREDENTIALS, 1, COL("hash"));
	ASSERT_MADE("1:2:/h", TABLE_USERINFO, 1, COL("1"), COL("2"), COL("/h"));
	ASSERT_MADE("1:2:/h", TABLE_USERINFO, 1, COL("1:2:/h"));
	ASSERT_MADE("h.example", TABLE_ADDRNAME, 2, COL("h.example"),
	    COL("h.example"));
}

static void
odd_rows_are_refused(void **state)
{
	(void)state;
	ASSERT_REFUSED("NULL", TABLE_ALIAS, 1, COL_NULL);
	ASSERT_REFUSED("NULL", TABLE_CREDENTIALS, 1, COL("bob"), COL_NULL);
	ASSERT_REFUSED("empty", TABLE_ALIAS, 2, COL("a"), COL(""));
	ASSERT_REFUSED("empty", TABLE_CREDENTIALS, 1, COL(""), COL("h"));
	ASSERT_REFUSED("few", TABLE_USERINFO, 1, COL("1"), COL("2"));
	ASSERT_REFUSED("many", TABLE_ALIAS, 1, COL("1"), COL("2"));
	ASSERT_REFUSED("differ", TABLE_ADDRNAME, 2, COL("a"), COL("b"));
	ASSERT_REFUSED("':'", TABLE_CREDENTIALS, 1, COL("a:b"), COL("h"));
	ASSERT_REFUSED("':'", TABLE_USERINFO, 1, COL("1:2"), COL("3"), COL("/"));
	ASSERT_REFUSED("line break", TABLE_ALIAS, 1, COL("a\nb"));
	ASSERT_REFUSED("line break", TABLE_ALIAS, 1, COL("a\rb"));
	ASSERT_REFUSED("NUL", TABLE_ALIAS, 1, COL("a\0b"));
}

static void
no_error_is_lost(void **state)
{
	(void)state;
	ASSERT_REFUSED("NULL", TABLE_ALIAS, 3, COL("a"), COL_NULL, COL("b"));
}

static void
ids_are_numbers(void **state)
{
	(void)state;
	ASSERT_MADE("0:0:/", TABLE_USERINFO, 1, COL("0:0:/"));
	ASSERT_MADE("4294967294:1:/", TABLE_USERINFO, 1, COL("4294967294"),
	    COL("1"), COL("/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1, COL("4294967295:1:/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1, COL("-1"), COL("1"), COL("/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1, COL("bob"), COL("1"), COL("/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1, COL(" 1"), COL("1"), COL("/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1, COL("1.0"), COL("1"), COL("/"));
	ASSERT_REFUSED("uid", TABLE_USERINFO, 1,
	    COL("99999999999999999999999"), COL("1"), COL("/"));
	ASSERT_REFUSED("gid", TABLE_USERINFO, 1, COL("1"), COL("x"), COL("/"));
	ASSERT_REFUSED("gid", TABLE_USERINFO, 1, COL("1:2"));
	ASSERT_REFUSED("home", TABLE_USERINFO, 1, COL("1:2:"));
}

static void
sizes_at_the_limit(void **state)
{
	static char	 text[SERVICE_VALUE_MAX + 2];
	struct table_column col = { text, SERVICE_VALUE_MAX };
	struct table_column two[2] = { { text, 1023 }, { text, 1022 } };

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_non_null(made(TABLE_ALIAS, 1, 1, &col));
	assert_int_equal(value.len, SERVICE_VALUE_MAX);
	col.len++;
	assert_null(made(TABLE_ALIAS, 1, 1, &col));
	assert_non_null(made(TABLE_ALIAS, 2, 1, two));
	assert_int_equal(value.len, SERVICE_VALUE_MAX);
	two[1].len++;
	assert_null(made(TABLE_ALIAS, 2, 1, two));
	two[0].len = 2;
	two[1].len = SERVICE_VALUE_MAX - 3;
	assert_non_null(made(TABLE_CREDENTIALS, 1, 2, two));
	two[1].len++;
	assert_null(made(TABLE_CREDENTIALS, 1, 2, two));
}

static void
what_each_service_takes(void **state)
{
	(void)state;
	ASSERT_REFUSED("3 bytes", TABLE_CREDENTIALS, 1, COL("ab"));
	ASSERT_REFUSED("no login", TABLE_CREDENTIALS, 1, COL(":hash"));
	ASSERT_REFUSED("no password", TABLE_CREDENTIALS, 1, COL("bob:"));
	ASSERT_MADE("192.0.2.1", TABLE_SOURCE, 1, COL("192.0.2.1"));
	ASSERT_MADE("2001:db8::1", TABLE_SOURCE, 1, COL("2001:db8::1"));
	ASSERT_MADE("[IPv6:::1]", TABLE_SOURCE, 1, COL("[IPv6:::1]"));
	ASSERT_MADE("fe80::1%1", TABLE_SOURCE, 1, COL("fe80::1%1"));
	ASSERT_REFUSED("IP", TABLE_SOURCE, 1, COL("192.0.2"));
	ASSERT_REFUSED("IP", TABLE_SOURCE, 1, COL("host.example"));
	ASSERT_REFUSED("nobody", TABLE_ALIAS, 1, COL(" "));
	ASSERT_REFUSED("nobody", TABLE_ALIAS, 2, COL(","), COL("\t"));
	ASSERT_REFUSED("nobody", TABLE_MAILADDRMAP, 1, COL(" , "));
	ASSERT_MADE(" a", TABLE_ALIAS, 1, COL(" a"));
	ASSERT_REFUSED("blank", TABLE_ADDRNAME, 1, COL("a b"));
}

static void
checks_need_a_row_with_something(void **state)
{
	struct table_column	 nulls[2] = { COL_NULL, COL_NULL };
	struct table_column	 some[2] = { COL_NULL, COL("") };

	(void)state;
	assert_false(service_row_matches(nulls, 2));
	assert_true(service_row_matches(some, 2));
}

static void
schemes_are_stripped(void **state)
{
	(void)state;
	ASSERT_MADE("bob:$6$x", TABLE_CREDENTIALS, 1, COL("bob"),
	    COL("{CRYPT}$6$x"));
	ASSERT_MADE("bob:$6$x", TABLE_CREDENTIALS, 1,
	    COL("bob:{sha512-crypt}$6$x"));
	ASSERT_MADE("$2y$05$", TABLE_CREDENTIALS, 1, COL("{BLF-CRYPT}$2y$05$"));
	ASSERT_REFUSED("scheme", TABLE_CREDENTIALS, 1, COL("bob"),
	    COL("{SSHA}abc"));
	ASSERT_MADE("{CRYPT}x", TABLE_ALIAS, 1, COL("{CRYPT}x"));
}

static void
columns_at_load_time(void **state)
{
	(void)state;
	assert_null(service_columns(TABLE_USERINFO, TABLE_LOOKUP, 3));
	assert_null(service_columns(TABLE_USERINFO, TABLE_LOOKUP, 1));
	assert_non_null(service_columns(TABLE_USERINFO, TABLE_LOOKUP, 2));
	assert_non_null(service_columns(TABLE_USERINFO, TABLE_LOOKUP, 4));
	assert_null(service_columns(TABLE_DOMAIN, TABLE_LOOKUP, 4));
	assert_non_null(service_columns(TABLE_SOURCE, TABLE_FETCH, 2));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(names_and_bits),
		cmocka_unit_test(rows_become_values),
		cmocka_unit_test(odd_rows_are_refused),
		cmocka_unit_test(no_error_is_lost),
		cmocka_unit_test(ids_are_numbers),
		cmocka_unit_test(sizes_at_the_limit),
		cmocka_unit_test(what_each_service_takes),
		cmocka_unit_test(checks_need_a_row_with_something),
		cmocka_unit_test(schemes_are_stripped),
		cmocka_unit_test(columns_at_load_time)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
