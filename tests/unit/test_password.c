/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include "password.h"

static const struct {
	const char	*hash;
	size_t		 skipped;
	int		 refused;
} cases[] = {
	{ "$6$salt$hash", 0, 0 },
	{ "", 0, 0 },
	{ "*", 0, 0 },
	{ "{CRYPT}$6$salt$hash", 7, 0 },
	{ "{crypt}abJnggxhB/yWI", 7, 0 },
	{ "{SHA512-CRYPT}$6$", 14, 0 },
	{ "{BLF-CRYPT}$2y$", 11, 0 },
	{ "{CRYPT}", 0, 0 },
	{ "{CRYPT}clear", 0, 0 },	/* a relay's password may be */
	{ "{CRYPT}_J9..rasmBYk8r9AiWNc", 7, 0 },
	{ "{SSHA}xyz", 0, 1 },
	{ "{PLAIN}secret", 0, 1 },
	{ "{ARGON2ID}$argon2id$", 0, 1 },
	{ "{mine}secret", 0, 0 },
	{ "{", 0, 0 },
	{ "{CRYPT", 0, 0 },
	{ "{}x", 0, 0 }
};

static void
schemes(void **state)
{
	const char	*why;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		why = NULL;
		print_message("%s\n", cases[i].hash);
		assert_int_equal(password_scheme(cases[i].hash,
		    strlen(cases[i].hash), &why), cases[i].skipped);
		assert_int_equal(why != NULL, cases[i].refused);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = { cmocka_unit_test(schemes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
