/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdio.h>

#include "expand.h"

static size_t
dollar(char *dst, size_t size, enum expand_variable variable,
    unsigned int index)
{
	(void)variable;
	return (size_t)snprintf(dst, size, "$%u", index + 1);
}

static const struct {
	enum table_service	 service;
	const char		*key;
	enum expand_variable	 variable;
	const char		*value;		/* NULL: the key lacks it */
} values[] = {
	{ TABLE_ALIAS, "user+tag@dom.example", EXPAND_KEY, "user+tag@dom.example" },
	{ TABLE_ALIAS, "user+tag@dom.example", EXPAND_USER, "user+tag" },
	{ TABLE_ALIAS, "user+tag@dom.example", EXPAND_ACCOUNT, "user" },
	{ TABLE_ALIAS, "user+a+b@dom.example", EXPAND_TAG, "a+b" },
	{ TABLE_ALIAS, "user+tag@dom.example", EXPAND_DOMAIN, "dom.example" },
	{ TABLE_ALIAS, "user+tag@dom.example", EXPAND_PARENT, "example" },
	{ TABLE_ALIAS, "user", EXPAND_USER, "user" },
	{ TABLE_ALIAS, "user", EXPAND_TAG, NULL },
	{ TABLE_ALIAS, "user", EXPAND_DOMAIN, NULL },
	{ TABLE_ALIAS, "user", EXPAND_PARENT, NULL },
	{ TABLE_ALIAS, "@dom", EXPAND_USER, "" },
	{ TABLE_ALIAS, "@dom", EXPAND_DOMAIN, "dom" },
	{ TABLE_ALIAS, "@dom", EXPAND_PARENT, NULL },
	{ TABLE_ALIAS, "@", EXPAND_DOMAIN, "" },
	{ TABLE_ALIAS, "", EXPAND_USER, "" },
	{ TABLE_ALIAS, "a@b@c", EXPAND_USER, "a@b" },
	{ TABLE_ALIAS, "a@b@c", EXPAND_DOMAIN, "c" },
	{ TABLE_ALIAS, "a@b:c", EXPAND_LOGIN, "a@b:c" },
	{ TABLE_ALIAS, "a@b:c", EXPAND_PASSWORD, NULL },
	{ TABLE_ALIAS, "x", EXPAND_TABLE, "users" },
	{ TABLE_ALIAS, "x", EXPAND_SERVICE, "alias" },
	{ TABLE_ALIAS, "x", EXPAND_OPERATION, "lookup" },
	{ TABLE_DOMAIN, "mail.dom.example", EXPAND_DOMAIN, "mail.dom.example" },
	{ TABLE_DOMAIN, "mail.dom.example", EXPAND_PARENT, "dom.example" },
	{ TABLE_DOMAIN, "dom", EXPAND_USER, NULL },
	{ TABLE_AUTH, "bob@dom:pa:ss@word", EXPAND_LOGIN, "bob@dom" },
	{ TABLE_AUTH, "bob@dom:pa:ss@word", EXPAND_PASSWORD, "pa:ss@word" },
	{ TABLE_AUTH, "bob@dom:pa:ss@word", EXPAND_DOMAIN, "dom" },
	{ TABLE_AUTH, "bob", EXPAND_PASSWORD, NULL },
	{ TABLE_AUTH, "bob:", EXPAND_PASSWORD, "" }
};

static void
parts_of_a_key(void **state)
{
	struct expand_subject	 subject;
	struct table_column	 value;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		print_message("%s of %s\n", expand_name(values[i].variable),
		    values[i].key);
		subject.key.data = values[i].key;
		subject.key.len = strlen(values[i].key);
		subject.table = "users";
		subject.service = values[i].service;
		subject.operation = TABLE_LOOKUP;
		value = expand_value(values[i].variable, &subject);
		if (values[i].value == NULL) {
			assert_null(value.data);
			continue;
		}
		assert_non_null(value.data);
		assert_int_equal(value.len, strlen(values[i].value));
		assert_memory_equal(value.data, values[i].value, value.len);
	}
}

static void
compiled(const char *source, const char *text, unsigned int count)
{
	char		 why[256];
	struct expand	*e = expand_compile(source, dollar, why, sizeof(why));

	assert_non_null(e);
	assert_string_equal(expand_text(e), text);
	assert_string_equal(expand_source(e), source);
	assert_int_equal(expand_count(e), count);
	expand_free(e);
}

static void
templates(void **state)
{
	(void)state;
	compiled("", "", 0);
	compiled("a = %{key}", "a = $1", 1);
	compiled("%{user}%{domain}%{user}", "$1$2$3", 3);
	compiled("LIKE '%x' AND 1 % 2", "LIKE '%x' AND 1 % 2", 0);
	compiled("'%%{key}' = %{key}", "'%{key}' = $1", 1);
	compiled("'it''s' = %{key}", "'it''s' = $1", 1);
}

static void
refused(const char *source, const char *reason)
{
	char	 why[256];

	assert_null(expand_compile(source, dollar, why, sizeof(why)));
	assert_non_null(strstr(why, reason));
}

static void
wrong_templates(void **state)
{
	(void)state;
	refused("a = %{usr}", "%{usr} is no variable");
	refused("a = %{key", "not closed");
	refused("a = '%{key}'", "between quotes");
	refused("a = \"x%{key}\"", "between quotes");
}

static void
many_parameters(void **state)
{
	char		 source[6 * 1000 + 1] = "", why[256];
	struct expand	*e;
	int		 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		memcpy(source + 6 * i, "%{key}", 7);
	e = expand_compile(source, dollar, why, sizeof(why));
	assert_non_null(e);
	assert_int_equal(expand_count(e), 1000);
	assert_int_equal(expand_parameter(e, 999), EXPAND_KEY);
	expand_free(e);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(parts_of_a_key),
		cmocka_unit_test(templates),
		cmocka_unit_test(wrong_templates),
		cmocka_unit_test(many_parameters)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
