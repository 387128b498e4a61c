/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

static const struct unit {
	const char	*name;
	int64_t		 ms;
} units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	{ "d", 86400000 }, { "", 1000 }
};
#define NUNITS	(sizeof(units) / sizeof(units[0]))

static int
parse_number(const char *text, int64_t *number, const char **end)
{
	char	*stop;

	errno = 0;
	*number = strtoll(text, &stop, 10);
	*end = stop;
	return stop == text || errno != 0 ? -1 : 0;
}

static int
out_of_bounds(const struct table_option *o, char *why, size_t size)
{
	if (o->type == OPTION_DURATION)
		snprintf(why, size, "must be from %" PRId64 "ms to %" PRId64
		    "s", o->min, o->max / 1000);
	else
		snprintf(why, size, "must be from %" PRId64 " to %" PRId64,
		    o->min, o->max);
	return -1;
}

static int
set_number(const struct table_option *o, int64_t *field, const char *text,
    char *why, size_t size)
{
	const char	*end;
	int64_t		 number;

	if (parse_number(text, &number, &end) == -1 || *end != '\0') {
		snprintf(why, size, "`%s' is no number", text);
		return -1;
	}
	if (number < o->min || number > o->max)
		return out_of_bounds(o, why, size);
	*field = number;
	return 0;
}

static int
set_duration(const struct table_option *o, int64_t *field, const char *text,
    char *why, size_t size)
{
	const char	*end;
	int64_t		 number;
	size_t		 i;

	if (parse_number(text, &number, &end) == -1)
		number = -1, end = "?";
	for (i = 0; i < NUNITS; i++)
		if (strcmp(end, units[i].name) == 0)
			break;
	if (i == NUNITS) {
		snprintf(why, size, "`%s' is no duration, like 5, 500ms, 2m "
		    "or 1h", text);
		return -1;
	}
	if (number < 0 || number > o->max / units[i].ms ||
	    number * units[i].ms < o->min)
		return out_of_bounds(o, why, size);
	*field = number * units[i].ms;
	return 0;
}

static int
set_bool(int *field, const char *text, char *why, size_t size)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
		snprintf(why, size, "must be yes or no, not `%s'", text);
		return -1;
	}
	*field = strcmp(text, "yes") == 0;
	return 0;
}

static int
set_string(char **field, const char *text, char *why, size_t size)
{
	char	*copy = strdup(text);

	if (copy == NULL) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	free(*field);
	*field = copy;
	return 0;
}

static int
set_query(const struct table_option *o, struct expand **field,
    const char *text, char *why, size_t size)
{
	struct expand	*query;

	query = expand_compile(text, o->placeholder, why, size);
	if (query == NULL)
		return -1;
	expand_free(*field);
	*field = query;
	return 0;
}

int
value_set(const struct table_option *o, void *field, const char *text,
    char *why, size_t size)
{
	switch (o->type) {
	case OPTION_NUMBER:
		return set_number(o, field, text, why, size);
	case OPTION_DURATION:
		return set_duration(o, field, text, why, size);
	case OPTION_BOOL:
		return set_bool(field, text, why, size);
	case OPTION_QUERY:
		return set_query(o, field, text, why, size);
	case OPTION_STRING:
	case OPTION_SECRET:
		return set_string(field, text, why, size);
	}
	return -1;
}

static const char *
duration_text(int64_t ms, char *buf, size_t size)
{
	if (ms % 1000 == 0)
		snprintf(buf, size, "%" PRId64 "s", ms / 1000);
	else
		snprintf(buf, size, "%" PRId64 "ms", ms);
	return buf;
}

const char *
value_text(const struct table_option *o, const void *field, char *buf,
    size_t size)
{
	switch (o->type) {
	case OPTION_NUMBER:
		snprintf(buf, size, "%" PRId64, *(const int64_t *)field);
		return buf;
	case OPTION_DURATION:
		return duration_text(*(const int64_t *)field, buf, size);
	case OPTION_BOOL:
		return *(const int *)field ? "yes" : "no";
	case OPTION_QUERY:
		return *(struct expand *const *)field == NULL ? NULL :
		    expand_source(*(struct expand *const *)field);
	case OPTION_SECRET:
		return *(char *const *)field == NULL ? NULL : "********";
	case OPTION_STRING:
		return *(char *const *)field;
	}
	return NULL;
}

void
value_wipe(void *p, size_t len)
{
#ifdef HAVE_EXPLICIT_BZERO
	if (p != NULL)
		explicit_bzero(p, len);
#else
	volatile unsigned char	*s = p;

	while (p != NULL && len-- > 0)
		*s++ = 0;
#endif
}

void
value_clear(const struct table_option *o, void *field)
{
	char	**text = field;

	if (o->type == OPTION_QUERY) {
		expand_free(*(struct expand **)field);
		*(struct expand **)field = NULL;
		return;
	}
	if (o->type != OPTION_STRING && o->type != OPTION_SECRET)
		return;
	if (o->type == OPTION_SECRET && *text != NULL)
		value_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}
