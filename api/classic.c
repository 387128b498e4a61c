/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "main.h"
#include "request.h"
#include "service.h"
#include "table_api.h"

static struct {
	int	 (*update)(void);
	int	 (*check)(int, struct dict *, const char *);
	int	 (*lookup)(int, struct dict *, const char *, char *, size_t);
	int	 (*fetch)(int, struct dict *, char *, size_t);
	int	 services;
	int	 opened;		/* past the first time */
	struct main_arguments arguments;
} classic = { .services = K_ANY };

static struct table_backend	backend;

/* The program has read its data before dispatch; again means update. */
static int
classic_open(struct table_opening *opening)
{
	if ((classic.opened || opening->checking) && classic.update != NULL &&
	    classic.update() != 1) {
		snprintf(opening->error, sizeof(opening->error),
		    "%s: the program could not read its data", opening->path);
		return -1;
	}
	classic.opened = 1;
	if (classic.check != NULL || classic.lookup != NULL)
		opening->keyed = (uint32_t)classic.services;
	if (classic.fetch != NULL)
		opening->fetched = (uint32_t)classic.services &
		    (TABLE_SOURCE | TABLE_RELAYHOST);
	return 0;
}

static void
classic_close(void *state)
{
	(void)state;
}

/* Asks the program; -1 also for what it has no function for. */
static int
ask(struct table_request *rq, const char *key, char *dst, size_t size)
{
	int	 service = (int)table_service(rq);

	switch (table_operation(rq)) {
	case TABLE_CHECK:
		if (classic.check != NULL)
			return classic.check(service, NULL, key);
		break;
	case TABLE_LOOKUP:
		if (classic.lookup != NULL)
			return classic.lookup(service, NULL, key, dst, size);
		break;
	case TABLE_FETCH:
		if (classic.fetch != NULL)
			return classic.fetch(service, NULL, dst, size);
		break;
	case TABLE_UPDATE:
		break;
	}
	return -1;
}

static void
classic_query(void *state, struct table_request *rq)
{
	char			 dst[SERVICE_VALUE_MAX + 1] = "";
	struct table_column	 key = table_key(rq), value = { dst, 0 };
	int			 r;

	(void)state;
	if (key.len != strlen(key.data)) {
		table_failed(rq, TABLE_TEMPORARY, "the key holds a NUL");
		return;
	}
	r = ask(rq, key.data, dst, sizeof(dst));
	if (r == 1) {
		dst[sizeof(dst) - 1] = '\0';
		value.len = strlen(dst);
		table_row(rq, &value, 1);
	}
	if (r == 1 || r == 0)
		table_done(rq);
	else
		table_failed(rq, TABLE_TEMPORARY, "the program could not tell");
}

const char *
table_api_arguments(int argc, char **argv, const char *name,
    const char *version)
{
	backend.name = name;
	backend.version = version;
	main_arguments(&classic.arguments, argc, argv, &backend);
	return classic.arguments.arg;
}

const char *
table_api_get_name(void)
{
	return request_table_name() == NULL ? "" : request_table_name();
}

void
table_api_register_services(int services)
{
	classic.services = services;
}

void
table_api_on_update(int (*callback)(void))
{
	classic.update = callback;
}

void
table_api_on_check(int (*callback)(int, struct dict *, const char *))
{
	classic.check = callback;
}

void
table_api_on_lookup(int (*callback)(int, struct dict *, const char *, char *,
    size_t))
{
	classic.lookup = callback;
}

void
table_api_on_fetch(int (*callback)(int, struct dict *, char *, size_t))
{
	classic.fetch = callback;
}

int
table_api_dispatch(void)
{
	if (backend.name == NULL) {	/* it reads its arguments itself */
		backend.name = "table";
		backend.version = "";
		log_init(backend.name, 0);
	}
	backend.open = classic_open;
	backend.query = classic_query;
	backend.close = classic_close;
	return main_serve(&backend, &classic.arguments);
}
