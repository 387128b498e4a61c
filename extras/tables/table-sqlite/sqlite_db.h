/* SPDX-License-Identifier: ISC */
/*
 * A SQLite file, opened for reading, and its prepared statements.  Nothing
 * here waits: a locked file is SQLITE_BUSY, at once.
 */
#ifndef SQLITE_DB_H
#define SQLITE_DB_H

#include <sys/types.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "query.h"

struct statement {
	sqlite3_stmt		*stmt;		/* NULL: not prepared yet */
	int			 count;
	enum expand_variable	*variables;	/* by parameter, from 0 */
};

struct db {
	sqlite3			*handle;
	struct stat		 st;		/* of the file, when last looked at */
	int64_t			 version;	/* PRAGMA data_version then, or -1 */
	int64_t			 deadline_ms;	/* of the query that runs */
	int			 tuned;		/* the page cache has its size */
	struct statement	 statements[QUERY_MAX];
};

/* Once, before all: one thread, and a SQLite that never sleeps. */
void	 db_init(void);
/*
 * Opens path, which must be there; to wait for locks for wait_ms, or not at
 * all.  0, or -1 and a reason of one line.
 */
int	 db_open(struct db *, const char *path, int64_t wait_ms, char *why,
	    size_t);
void	 db_close(struct db *);
/* Whether another program's lock is in the way, which may soon be gone. */
int	 db_is_busy(int rc);
/* What to do about the last failure; "" if nothing is known. */
const char *db_remedy(const struct db *);
/* Whether another file, or none, stands at path, or one was copied over it. */
int	 db_is_replaced(struct db *, const char *path);

/*
 * Prepares a query.  SQLITE_OK, or a SQLite code and a reason; SQLITE_ERROR
 * is a fault of the query's text, or of the schema.
 */
int	 db_prepare(struct db *, unsigned int n, const struct expand *,
	    char *why, size_t);
/*
 * Binds the request's parameters to a prepared statement and hands its rows
 * to the request, until deadline.  SQLITE_DONE, or another code.
 */
int	 db_run(struct db *, unsigned int n, struct table_request *);
/* Ends a run, and with it the lock on the file; due after each db_run(). */
void	 db_reset(struct db *, unsigned int n);

#endif
