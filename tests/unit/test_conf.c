/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf.h"
#include "value.h"

struct settings {
	char		*name, *secret;
	int64_t		 number, wait_ms;
	int		 flag;
	struct expand	*query;
};

static size_t
question_mark(char *dst, size_t size, enum expand_variable variable,
    unsigned int index)
{
	(void)variable;
	(void)index;
	return (size_t)snprintf(dst, size, "?");
}

#define FIELD(field, ctype)	OPTION_FIELD(struct settings, field, ctype)
static const struct table_option options[] = {
	{ .name = "name", .type = OPTION_STRING, .required = 1,
	  .offset = FIELD(name, char *), .help = "who" },
	{ .name = "secret", .type = OPTION_SECRET,
	  .offset = FIELD(secret, char *) },
	{ .name = "number", .type = OPTION_NUMBER, .min = 1, .max = 10,
	  .preset = "5", .offset = FIELD(number, int64_t) },
	{ .name = "wait", .type = OPTION_DURATION, .min = 100, .max = 60000,
	  .preset = "2s", .offset = FIELD(wait_ms, int64_t) },
	{ .name = "flag", .type = OPTION_BOOL, .preset = "no",
	  .offset = FIELD(flag, int) },
	{ .name = "query", .type = OPTION_QUERY, .placeholder = question_mark,
	  .offset = FIELD(query, struct expand *) },
	{ .name = NULL }
};

static struct settings	 settings;
static unsigned int	 lines[COUNT(options)], no_lines[1];
static char		 why[1024], path[] = "/tmp/test-conf-XXXXXX";
static struct conf	 conf = { .path = path, .sections = {
	{ NULL, (unsigned char *)&settings, no_lines },
	{ options, (unsigned char *)&settings, lines }
} };

static int
read_text(const char *text, size_t len)
{
	FILE	*fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	fclose(fp);
	conf_clear(&conf);
	memset(&settings, 0, sizeof(settings));
	memset(lines, 0, sizeof(lines));
	assert_int_equal(conf_defaults(&conf, why, sizeof(why)), 0);
	return conf_read(&conf, why, sizeof(why));
}

#define READ(text)	read_text((text), sizeof(text) - 1)

static void
a_good_file(void **state)
{
	(void)state;
	assert_int_equal(READ("# comment\n\n  name\t bob  \nnumber: 7\nwait 500ms\n"
	    "flag yes\nquery SELECT 1 \\\n  WHERE x = %{key}\n"), 0);
	assert_string_equal(settings.name, "bob");
	assert_int_equal(settings.number, 7);
	assert_int_equal(settings.wait_ms, 500);
	assert_true(settings.flag);
	assert_string_equal(expand_text(settings.query),
	    "SELECT 1   WHERE x = ?");
}

static void
the_existing_grammar(void **state)
{
	(void)state;
	/* The name ends at a colon; colons before blanks are dropped. */
	assert_int_equal(READ("name : bob:smith # no comment\n"), 0);
	assert_string_equal(settings.name, "bob:smith # no comment");
	assert_int_equal(READ("name:bob\r\n"), 0);
	assert_string_equal(settings.name, "bob");
	assert_int_equal(READ("name bob"), 0);
	assert_string_equal(settings.name, "bob");
}

static void
defaults(void **state)
{
	(void)state;
	assert_int_equal(READ("name bob\n"), 0);
	assert_int_equal(settings.number, 5);
	assert_int_equal(settings.wait_ms, 2000);
	assert_false(settings.flag);
	assert_null(settings.secret);
	assert_null(settings.query);
}

static void
durations(void **state)
{
	(void)state;
	assert_int_equal(READ("name x\nwait 7\n"), 0);
	assert_int_equal(settings.wait_ms, 7000);
	assert_int_equal(READ("name x\nwait 1m\n"), 0);
	assert_int_equal(settings.wait_ms, 60000);
	assert_int_equal(READ("name x\nwait 61\n"), -1);
	assert_int_equal(READ("name x\nwait 99ms\n"), -1);
	assert_int_equal(READ("name x\nwait 1w\n"), -1);
	assert_int_equal(READ("name x\nwait -1\n"), -1);
	assert_int_equal(READ("name x\nwait 9223372036854775807h\n"), -1);
}

#define REFUSED(text, reason) do {					\
	assert_int_equal(READ(text), -1);				\
	assert_non_null(strstr(why, (reason)));				\
} while (0)

static void
wrong_files(void **state)
{
	(void)state;
	REFUSED("name x\nnmae y\n", ":2: unknown directive `nmae'");
	REFUSED("name x\nname y\n", ":2: name is set a second time, after line 1");
	REFUSED("name\n", ":1: name has no value");
	REFUSED("number 5\n", ": name is missing");
	REFUSED("name x\nnumber 11\n", ":2: number: must be from 1 to 10");
	REFUSED("name x\nnumber 5x\n", "no number");
	REFUSED("name x\nflag maybe\n", "yes or no");
	REFUSED("name x\n\n\nquery \\\n a = '%{key}'\n", ":4: query: a %{variable}");
	REFUSED("name x\ny\0z\n", "NUL");
}

static void
files_that_cant_be_read(void **state)
{
	(void)state;
	conf.path = strdup("/nonexistent/file");
	assert_int_equal(conf_read(&conf, why, sizeof(why)), -1);
	assert_string_equal(why, "/nonexistent/file: No such file or directory");
	free(conf.path);
	conf.path = strdup("/tmp");
	assert_int_equal(conf_read(&conf, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "/tmp: Is a directory"));
	free(conf.path);
	conf.path = path;
}

static void
what_is_in_force(void **state)
{
	char	 text[1024];
	FILE	*fp;

	(void)state;
	assert_int_equal(READ("name bob\nsecret hunter2\nwait 1500ms\n"), 0);
	fp = fmemopen(text, sizeof(text), "w");
	assert_non_null(fp);
	conf_print(&conf, fp);
	fclose(fp);
	assert_string_equal(text, "name bob\nsecret ********\nnumber 5\n"
	    "wait 1500ms\nflag no\n# query\n");
	assert_non_null(strstr(conf_where(&conf, &settings.wait_ms),
	    ":3: wait"));
	assert_non_null(strstr(conf_where(&conf, &settings.flag), ": flag"));
}

static int
begin(void **state)
{
	int	 fd = mkstemp(path);

	(void)state;
	return fd == -1 ? -1 : close(fd);
}

static int
end(void **state)
{
	(void)state;
	conf_clear(&conf);
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_good_file),
		cmocka_unit_test(the_existing_grammar),
		cmocka_unit_test(defaults),
		cmocka_unit_test(durations),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(files_that_cant_be_read),
		cmocka_unit_test(what_is_in_force)
	};

	return cmocka_run_group_tests(tests, begin, end);
}
