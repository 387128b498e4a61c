/* SPDX-License-Identifier: ISC */
/*
 * A table as they were written before there was table_api_arguments(): it
 * reads its arguments itself and registers nothing.  Every value is its key,
 * but for those that misbehave.
 */
#include <stdio.h>
#include <string.h>

#include "table_api.h"

static int	 updates;

static int
classic_update(void)
{
	return ++updates < 3 ? 1 : 0;
}

static int
classic_check(int service, struct dict *params, const char *key)
{
	(void)service;
	(void)params;
	return strcmp(key, "no") == 0 ? 0 : strcmp(key, "fail") == 0 ? -1 : 1;
}

static int
classic_lookup(int service, struct dict *params, const char *key, char *dst,
    size_t sz)
{
	(void)service;
	(void)params;
	if (strcmp(key, "unended") == 0)
		memset(dst, 'x', sz);
	else if (strcmp(key, "empty") != 0)
		snprintf(dst, sz, "%s %s", table_api_get_name(), key);
	return strcmp(key, "odd") == 0 ? 7 : 1;
}

int
main(void)
{
	table_api_on_update(classic_update);
	table_api_on_check(classic_check);
	table_api_on_lookup(classic_lookup);
	return table_api_dispatch();
}
