/* SPDX-License-Identifier: ISC */
/*
 * table-sqlite(5): mail facts from a SQLite file.
 */
#include <sys/types.h>

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "sqlite_db.h"
#include "table.h"

#define RETRY_MS	10	/* between two tries at a locked file */

struct sqlite_conf {
	char			*dbpath;
	int64_t			 busy_timeout_ms;
	struct table_queries	 queries;
};

/* A request that waits for the file's lock. */
struct waiting {
	struct waiting		*prev, *next;
	struct table_request	*rq;
	int64_t			 until_ms;
};

struct state {
	struct db		 db;
	const struct sqlite_conf *conf;
	struct waiting		*waiting;	/* the first came first */
	struct event		*retry;
};

static size_t	placeholder(char *, size_t, enum expand_variable,
		    unsigned int);

static const struct table_option options[] = {
	{ .name = "dbpath", .type = OPTION_STRING, .required = 1,
	  .offset = OPTION_FIELD(struct sqlite_conf, dbpath, char *),
	  .help = "path of the SQLite file" },
	{ .name = "busy_timeout", .type = OPTION_DURATION, .unit = "seconds",
	  .offset = OPTION_FIELD(struct sqlite_conf, busy_timeout_ms, int64_t),
	  .min = 0, .max = 600000, .preset = "2s",
	  .help = "how long to wait for a file that another program locks" },
	TABLE_QUERY_OPTIONS(struct sqlite_conf, queries, placeholder),
	{ .name = NULL }
};

static size_t
placeholder(char *dst, size_t size, enum expand_variable variable,
    unsigned int index)
{
	(void)index;
	return (size_t)snprintf(dst, size, ":%s", expand_name(variable));
}

/*
 * Prepares the n'th query.  A file that is locked now is no failure at the
 * start; where another state serves, opening is tried again.
 */
static int
prepare(struct table_opening *opening, struct state *st, unsigned int n)
{
	struct expand *const	*query = query_at(&st->conf->queries, n);
	char			 text[512];
	const char		*why = text;
	int			 rc;

	rc = db_prepare(&st->db, n, *query, text, sizeof(text));
	if (db_is_busy(rc) && !opening->checking) {
		opening->again = opening->before != NULL;
		if (!opening->again)
			return 0;
	}
	if (rc == SQLITE_OK)
		why = query_columns(n, (size_t)sqlite3_column_count(
		    st->db.statements[n].stmt));
	if (why == NULL)
		return 0;
	snprintf(opening->error, sizeof(opening->error), "%s: %s%s",
	    table_where(opening, query), why, db_remedy(&st->db));
	return -1;
}

static void	sqlite_close(void *);
static void	try_again(evutil_socket_t, short, void *);

static int
sqlite_open(struct table_opening *opening)
{
	const struct sqlite_conf *conf = opening->conf;
	struct state		*st;
	char			 why[512];
	unsigned int		 n;

	if ((st = calloc(1, sizeof(*st))) == NULL) {
		snprintf(opening->error, sizeof(opening->error),
		    "out of memory");
		return -1;
	}
	st->conf = conf;
	if (db_open(&st->db, conf->dbpath, opening->checking ?
	    conf->busy_timeout_ms : 0, why, sizeof(why)) == -1) {
		snprintf(opening->error, sizeof(opening->error), "%s: %s",
		    table_where(opening, &conf->dbpath), why);
		free(st);
		return -1;
	}
	for (n = 0; n < QUERY_MAX; n++)
		if (*query_at(&conf->queries, n) != NULL &&
		    prepare(opening, st, n) == -1) {
			sqlite_close(st);
			return -1;
		}
	opening->state = st;
	opening->keyed = query_keyed(&conf->queries);
	opening->fetched = query_fetched(&conf->queries);
	return 0;
}

static void
fail(struct state *st, struct table_request *rq, int rc)
{
	enum table_failure	 failure = TABLE_TEMPORARY;

	if (rc == SQLITE_ERROR || rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		failure = TABLE_MISCONFIGURED;
	if (rc == SQLITE_INTERRUPT)
		table_failed(rq, failure, "%s: the query takes longer than "
		    "timeout; is there an index?", st->conf->dbpath);
	else
		table_failed(rq, failure, "%s: %s%s", st->conf->dbpath,
		    sqlite3_errmsg(st->db.handle), db_remedy(&st->db));
}

/* Prepares what could not be at the start; SQLITE_OK, or it has failed. */
static int
prepare_late(struct state *st, struct table_request *rq, unsigned int n)
{
	char	 why[512];
	int	 rc;

	if (st->db.statements[n].stmt != NULL)
		return SQLITE_OK;
	rc = db_prepare(&st->db, n, *query_at(&st->conf->queries, n), why,
	    sizeof(why));
	if (rc != SQLITE_OK && !db_is_busy(rc))
		table_failed(rq, TABLE_MISCONFIGURED, "%s: %s%s",
		    st->conf->dbpath, why, db_remedy(&st->db));
	return rc;
}

/* 0 if the request has its answer, 1 if the file is locked. */
static int
attempt(struct state *st, struct table_request *rq)
{
	unsigned int	 n = query_of(rq);
	int		 rc;

	if ((rc = prepare_late(st, rq, n)) != SQLITE_OK)
		return db_is_busy(rc);
	rc = db_run(&st->db, n, rq);
	if (rc == SQLITE_DONE)
		table_done(rq);
	else if (!db_is_busy(rc))
		fail(st, rq, rc);
	db_reset(&st->db, n);	/* while smtpd reads the answer */
	return db_is_busy(rc);
}

static void
arm_retry(struct state *st)
{
	struct timeval	 tv = { 0, RETRY_MS * 1000 };

	if (st->retry == NULL)
		st->retry = evtimer_new(table_loop(), try_again, st);
	if (st->retry != NULL && st->waiting != NULL)
		evtimer_add(st->retry, &tv);
}

static void
drop(struct state *st, struct waiting *w)
{
	DL_DELETE(st->waiting, w);
	free(w);
}

/* Serves those who wait, the first first, until the lock is in the way. */
static void
try_again(evutil_socket_t fd, short what, void *arg)
{
	struct state		*st = arg;
	struct waiting		*w, *next;
	struct table_request	*rq;
	int			 busy = 0;

	(void)fd;
	(void)what;
	DL_FOREACH_SAFE(st->waiting, w, next) {
		rq = w->rq;
		if (table_now_ms() >= table_deadline(rq))
			continue;	/* cancelled at once */
		if (!busy)
			busy = attempt(st, rq);
		if (busy && table_now_ms() < w->until_ms)
			continue;
		drop(st, w);
		if (busy)
			fail(st, rq, SQLITE_BUSY);
	}
	arm_retry(st);
}

static void
sqlite_query(void *state, struct table_request *rq)
{
	struct state	*st = state;
	struct waiting	*w;

	if (!attempt(st, rq))
		return;
	if (st->conf->busy_timeout_ms == 0 ||
	    (w = calloc(1, sizeof(*w))) == NULL) {
		fail(st, rq, SQLITE_BUSY);
		return;
	}
	w->rq = rq;
	w->until_ms = table_now_ms() + st->conf->busy_timeout_ms;
	DL_APPEND(st->waiting, w);
	arm_retry(st);
}

static void
sqlite_cancel(void *state, struct table_request *rq)
{
	struct state	*st = state;
	struct waiting	*w, *next;

	DL_FOREACH_SAFE(st->waiting, w, next)
		if (w->rq == rq)
			drop(st, w);
}

static int
sqlite_changed(void *state)
{
	struct state	*st = state;

	return db_is_replaced(&st->db, st->conf->dbpath);
}

static void
sqlite_close(void *state)
{
	struct state	*st = state;

	while (st->waiting != NULL)
		drop(st, st->waiting);
	if (st->retry != NULL)
		event_free(st->retry);
	db_close(&st->db);
	free(st);
}

static const struct table_backend backend = {
	.name = "table-sqlite",
	.version = TABLE_VERSION,
	.options = options,
	.conf_size = sizeof(struct sqlite_conf),
	.open = sqlite_open,
	.query = sqlite_query,
	.cancel = sqlite_cancel,
	.changed = sqlite_changed,
	.close = sqlite_close
};

int
main(int argc, char **argv)
{
	db_init();
	return table_main(argc, argv, &backend);
}
