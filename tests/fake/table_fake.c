/* SPDX-License-Identifier: ISC */
/*
 * A backend that does what its keys say, for tests of the core.  ARG is a
 * configuration: `services' lists bits to serve, and may be wrong on purpose.
 *
 *	value:TEXT	a row of TEXT; several are split by `;', columns by ','
 *	null		a row of one NULL
 *	empty		a row of one empty column
 *	nothing		no row
 *	late:MS:TEXT	as value, after MS milliseconds
 *	never		no answer at all
 *	fail, broken	a temporary failure, a misconfiguration
 *	twice		done, and then once more
 *	vars		the variables of the key, split by spaces
 *	newline, nul	a value that holds one
 *	long:N		N letters
 *	count		how many requests wait for an answer
 */
#include <sys/types.h>

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query.h"

struct fake_conf {
	int64_t	 services, fetched, open_ms, bad;
	char	*secret, *sources;
};

/* An answer that is due later. */
struct late {
	struct late		*next;
	struct table_request	*rq;
	struct event		*timer;
	char			*rows;
};

static struct late	*pending;
static int		 npending;

#define FAKE_NUMBER(name_, field, max_, preset_) {			\
	.name = (name_), .type = OPTION_NUMBER, .unit = "units",	\
	.offset = OPTION_FIELD(struct fake_conf, field, int64_t),	\
	.min = 0, .max = (max_), .preset = (preset_), .help = "a number" }

static const struct table_option options[] = {
	FAKE_NUMBER("services", services, 0xffff, "8191"),
	FAKE_NUMBER("fetched", fetched, 0xffff, "544"),
	FAKE_NUMBER("open_ms", open_ms, 60000, "0"),
	FAKE_NUMBER("bad", bad, 1, "0"),
	{ .name = "secret", .type = OPTION_SECRET, .help = "a secret",
	  .offset = OPTION_FIELD(struct fake_conf, secret, char *) },
	{ .name = "sources", .type = OPTION_STRING, .help = "rows of a fetch",
	  .preset = "127.0.0.1;127.0.0.2;127.0.0.3",
	  .offset = OPTION_FIELD(struct fake_conf, sources, char *) },
	{ .name = NULL }
};

static int
fake_open(struct table_opening *opening)
{
	const struct fake_conf	*conf = opening->conf;

	usleep((useconds_t)conf->open_ms * 1000);
	if (conf->bad) {
		snprintf(opening->error, sizeof(opening->error),
		    "%s is bad on purpose", table_where(opening, &conf->bad));
		return -1;
	}
	opening->keyed = (uint32_t)conf->services;
	opening->fetched = (uint32_t)(conf->fetched & conf->services);
	opening->state = (void *)(uintptr_t)conf;
	return 0;
}

static int
hand_over_row(struct table_request *rq, char *row)
{
	struct table_column	 cols[8];
	size_t			 n = 0;
	char			*col;

	while ((col = strsep(&row, ",")) != NULL && n < 8) {
		cols[n].data = strcmp(col, "NULL") == 0 ? NULL : col;
		cols[n++].len = strlen(col);
	}
	return table_row(rq, cols, n);
}

static void
hand_over(struct table_request *rq, const char *text)
{
	char	*copy = strdup(text), *rows = copy, *row;

	while ((row = strsep(&rows, ";")) != NULL && hand_over_row(rq, row))
		;
	table_done(rq);
	free(copy);
}

static void
forget(struct late *l)
{
	struct late	**p;

	for (p = &pending; *p != NULL && *p != l; p = &(*p)->next)
		;
	*p = l->next;
	npending--;
	if (l->timer != NULL)
		event_free(l->timer);
	free(l->rows);
	free(l);
}

static void
is_due(evutil_socket_t fd, short what, void *arg)
{
	struct late	*l = arg;

	(void)fd;
	(void)what;
	hand_over(l->rq, l->rows);
	forget(l);
}

static void
wait_for(struct table_request *rq, long ms, const char *rows)
{
	struct late	*l = calloc(1, sizeof(*l));
	struct timeval	 tv = { ms / 1000, (ms % 1000) * 1000 };

	l->rq = rq;
	l->rows = strdup(rows);
	l->next = pending;
	pending = l;
	npending++;
	if (ms < 0)
		return;
	l->timer = evtimer_new(table_loop(), is_due, l);
	evtimer_add(l->timer, &tv);
}

static void
hand_over_text(struct table_request *rq, const char *text, size_t len)
{
	struct table_column	 col = { text, len };

	table_row(rq, &col, 1);
	table_done(rq);
}

static void
hand_over_letters(struct table_request *rq, size_t n)
{
	char	*text = malloc(n + 1);

	memset(text, 'x', n);
	hand_over_text(rq, text, n);
	free(text);
}

static void
hand_over_variables(struct table_request *rq)
{
	struct table_column	 value;
	char			 text[2048];
	size_t			 n = 0;
	int			 i;

	for (i = 0; i < EXPAND_NVARIABLES; i++) {
		value = table_variable(rq, (enum expand_variable)i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%.*s",
		    i == 0 ? "" : " ", expand_name((enum expand_variable)i),
		    value.data == NULL ? 4 : (int)value.len,
		    value.data == NULL ? "NULL" : value.data);
	}
	hand_over_text(rq, text, n);
}

static void
fake_query(void *state, struct table_request *rq)
{
	const struct fake_conf	*conf = state;
	const char		*key = table_key(rq).data;
	char			*rest;
	long			 ms;

	if (table_operation(rq) == TABLE_FETCH)
		hand_over(rq, conf->sources);
	else if (strncmp(key, "value:", 6) == 0)
		hand_over(rq, key + 6);
	else if (strncmp(key, "late:", 5) == 0) {
		ms = strtol(key + 5, &rest, 10);
		wait_for(rq, ms, *rest == ':' ? rest + 1 : "x");
	} else if (strcmp(key, "never") == 0)
		wait_for(rq, -1, "");
	else if (strcmp(key, "null") == 0)
		hand_over(rq, "NULL");
	else if (strcmp(key, "empty") == 0)
		hand_over(rq, "");
	else if (strcmp(key, "fail") == 0)
		table_failed(rq, TABLE_TEMPORARY, "failed\non purpose");
	else if (strcmp(key, "broken") == 0)
		table_failed(rq, TABLE_MISCONFIGURED, "broken on purpose");
	else if (strcmp(key, "twice") == 0) {
		table_done(rq);
		table_done(rq);
	} else if (strncmp(key, "vars", 4) == 0)
		hand_over_variables(rq);
	else if (strcmp(key, "newline") == 0)
		hand_over(rq, "a\nb");
	else if (strcmp(key, "nul") == 0)
		hand_over_text(rq, "a\0b", 3);
	else if (strncmp(key, "long:", 5) == 0)
		hand_over_letters(rq, (size_t)strtol(key + 5, NULL, 10));
	else if (strcmp(key, "count") == 0) {
		char	 text[32];

		snprintf(text, sizeof(text), "%d wait", npending);
		hand_over(rq, text);
	} else
		table_done(rq);
}

static void
fake_cancel(void *state, struct table_request *rq)
{
	struct late	*l;

	(void)state;
	for (l = pending; l != NULL && l->rq != rq; l = l->next)
		;
	if (l != NULL)
		forget(l);
}

static void
fake_close(void *state)
{
	(void)state;
}

static const struct table_backend backend = {
	.name = "table-fake",
	.version = "1.0",
	.options = options,
	.conf_size = sizeof(struct fake_conf),
	.open_in_thread = 1,
	.open = fake_open,
	.query = fake_query,
	.cancel = fake_cancel,
	.close = fake_close
};

int
main(int argc, char **argv)
{
	return table_main(argc, argv, &backend);
}
