/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite_db.h"

#define PROGRESS_STEPS	10000	/* of SQLite's machine, about 1 ms */
#define COLUMNS_MAX	16
#define SLEEPLESS	"sleepless"	/* the VFS */
/* Pages that stay in memory while the file does not change: 16 MiB at most. */
#define PAGE_CACHE	"PRAGMA cache_size = -16384"

static sqlite3_vfs	 sleepless;

/*
 * Waiting for a lock is the retry timer's.  But with a WAL, SQLite sleeps and
 * tries again by itself, up to 10 s, whatever its busy timeout is.
 */
static int
no_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	(void)us;
	return 0;
}

void
db_init(void)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_initialize();
	sleepless = *sqlite3_vfs_find(NULL);
	sleepless.zName = SLEEPLESS;
	sleepless.xSleep = no_sleep;
	sqlite3_vfs_register(&sleepless, 0);
}

int
db_is_busy(int rc)
{
	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED ||
	    rc == SQLITE_PROTOCOL;
}

static int
is_late(void *arg)
{
	const struct db	*db = arg;

	return table_now_ms() >= db->deadline_ms;
}

/* What changes with every commit that SQLite knows of; -1 if locked. */
static int64_t
data_version(struct db *db)
{
	sqlite3_stmt	*stmt;
	int64_t		 version = -1;

	db->deadline_ms = INT64_MAX;
	if (sqlite3_prepare_v2(db->handle, "PRAGMA data_version", -1, &stmt,
	    NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

/*
 * A commit changes the file and its version.  What changes the file alone was
 * no commit, and SQLite goes on with the pages that it remembers.
 */
int
db_is_replaced(struct db *db, const char *path)
{
	struct stat	 st;
	int64_t		 version;

	if (stat(path, &st) == -1 || st.st_dev != db->st.st_dev ||
	    st.st_ino != db->st.st_ino)
		return 1;
	if (st.st_size == db->st.st_size &&
	    st.st_mtim.tv_sec == db->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == db->st.st_mtim.tv_nsec)
		return 0;
	if ((version = data_version(db)) == -1)
		return 0;	/* locked: the next look will tell */
	if (version == db->version)
		return 1;
	db->st = st;
	db->version = version;
	return 0;
}

/* The first look into the file, for which it has to be a database. */
static int
open_file(struct db *db, const char *path, int64_t wait_ms)
{
	int	 rc;

	rc = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX, wait_ms > 0 ? NULL : SLEEPLESS);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_busy_timeout(db->handle, (int)wait_ms);
	rc = sqlite3_exec(db->handle, "PRAGMA schema_version", NULL, NULL,
	    NULL);
	return rc == SQLITE_NOTADB ? rc : SQLITE_OK;
}

int
db_open(struct db *db, const char *path, int64_t wait_ms, char *why,
    size_t size)
{
	struct stat	 st;

	memset(db, 0, sizeof(*db));
	/* Never another open() of the file: close() would drop SQLite's locks. */
	if (stat(path, &st) == -1) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, size, "%s: not a file", path);
		return -1;
	}
	db->st = st;
	if (open_file(db, path, wait_ms) != SQLITE_OK) {
		snprintf(why, size, "%s: %s", path,
		    db->handle == NULL ? "out of memory" :
		    sqlite3_errmsg(db->handle));
		db_close(db);
		return -1;
	}
	sqlite3_progress_handler(db->handle, PROGRESS_STEPS, is_late, db);
	db->version = data_version(db);
	return 0;
}

const char *
db_remedy(const struct db *db)
{
	int	 rc = sqlite3_extended_errcode(db->handle);

	if (rc == SQLITE_READONLY_ROLLBACK)
		return " (a writer ended half way and left its journal: use "
		    "the database once with a program that may write to it)";
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY)
		return " (a WAL database: this user must be able to write to "
		    "its folder, or its -wal and -shm files must be there)";
	return "";
}

/* A journal that a writer left lies in the way as its lock does. */
static int
code_of(const struct db *db, int rc)
{
	return rc == SQLITE_READONLY && sqlite3_extended_errcode(db->handle) ==
	    SQLITE_READONLY_ROLLBACK ? SQLITE_BUSY : rc;
}

void
db_close(struct db *db)
{
	unsigned int	 i;

	for (i = 0; i < QUERY_MAX; i++) {
		sqlite3_finalize(db->statements[i].stmt);
		free(db->statements[i].variables);
	}
	sqlite3_close(db->handle);
	memset(db, 0, sizeof(*db));
}

/* `?' and `?1' are the key; `:user', `@user' and `$user' a variable. */
static int
variable_of(const char *name)
{
	if (name == NULL || name[0] == '?')
		return EXPAND_KEY;
	return expand_variable(name + 1, strlen(name + 1));
}

static int
find_variables(struct statement *s, char *why, size_t size)
{
	int	 i, variable;

	s->count = sqlite3_bind_parameter_count(s->stmt);
	s->variables = calloc((size_t)s->count + 1, sizeof(*s->variables));
	if (s->variables == NULL) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	for (i = 0; i < s->count; i++) {
		variable = variable_of(
		    sqlite3_bind_parameter_name(s->stmt, i + 1));
		/* Before there were names, any one parameter was the key. */
		if (variable == -1 && s->count == 1)
			variable = EXPAND_KEY;
		if (variable == -1) {
			snprintf(why, size, "%s is no parameter; try ? or :key",
			    sqlite3_bind_parameter_name(s->stmt, i + 1));
			return -1;
		}
		s->variables[i] = (enum expand_variable)variable;
	}
	return 0;
}

/* Whether nothing follows a statement but comments and semicolons. */
static int
is_end(sqlite3 *handle, const char *tail)
{
	sqlite3_stmt	*next = NULL;
	int		 rc = SQLITE_OK;

	while (rc == SQLITE_OK && next == NULL && *tail != '\0')
		rc = sqlite3_prepare_v2(handle, tail, -1, &next, &tail);
	sqlite3_finalize(next);
	return rc == SQLITE_OK && next == NULL;
}

static int
check_statement(struct statement *s, const char *tail, char *why, size_t size)
{
	if (s->stmt == NULL || !is_end(sqlite3_db_handle(s->stmt), tail))
		snprintf(why, size, "must be one statement");
	else if (!sqlite3_stmt_readonly(s->stmt) ||
	    sqlite3_column_count(s->stmt) == 0)
		snprintf(why, size, "must be a query, such as SELECT");
	else if (find_variables(s, why, size) == 0)
		return 0;
	return -1;
}

int
db_prepare(struct db *db, unsigned int n, const struct expand *query,
    char *why, size_t size)
{
	struct statement	*s = &db->statements[n];
	const char		*tail;
	int			 rc;

	db->deadline_ms = INT64_MAX;
	if (!db->tuned)		/* a locked file can't be tuned */
		db->tuned = sqlite3_exec(db->handle, PAGE_CACHE, NULL, NULL,
		    NULL) == SQLITE_OK;
	rc = sqlite3_prepare_v3(db->handle, expand_text(query), -1,
	    SQLITE_PREPARE_PERSISTENT, &s->stmt, &tail);
	if (rc != SQLITE_OK) {
		snprintf(why, size, "%s", sqlite3_errmsg(db->handle));
		return code_of(db, rc);
	}
	if (check_statement(s, tail, why, size) == 0)
		return SQLITE_OK;
	sqlite3_finalize(s->stmt);
	free(s->variables);
	memset(s, 0, sizeof(*s));
	return SQLITE_ERROR;
}

static int
bind(struct statement *s, const struct table_request *rq)
{
	struct table_column	 value;
	int			 i, rc = SQLITE_OK;

	for (i = 0; i < s->count && rc == SQLITE_OK; i++) {
		value = table_variable(rq, s->variables[i]);
		/* The key outlives the statement's run. */
		rc = value.data == NULL ? sqlite3_bind_null(s->stmt, i + 1) :
		    sqlite3_bind_text(s->stmt, i + 1, value.data,
		    (int)value.len, SQLITE_STATIC);
	}
	return rc;
}

static int
hand_over_row(struct statement *s, struct table_request *rq)
{
	struct table_column	 cols[COLUMNS_MAX];
	int			 i, n = sqlite3_column_count(s->stmt);

	if (n > COLUMNS_MAX)
		n = COLUMNS_MAX;
	for (i = 0; i < n; i++) {
		cols[i].data = (const char *)sqlite3_column_text(s->stmt, i);
		cols[i].len = (size_t)sqlite3_column_bytes(s->stmt, i);
		if (cols[i].data == NULL &&
		    sqlite3_column_type(s->stmt, i) != SQLITE_NULL)
			cols[i].data = "";	/* an empty BLOB */
	}
	return table_row(rq, cols, (size_t)n);
}

int
db_run(struct db *db, unsigned int n, struct table_request *rq)
{
	struct statement	*s = &db->statements[n];
	int			 rc, rows;

	db->deadline_ms = table_deadline(rq);
	if ((rc = bind(s, rq)) != SQLITE_OK)
		return rc;
	for (rows = 0; (rc = sqlite3_step(s->stmt)) == SQLITE_ROW; rows++)
		if (!hand_over_row(s, rq))
			return SQLITE_DONE;
	rc = code_of(db, rc);
	/* Tried again, it would hand over the same rows once more. */
	return db_is_busy(rc) && rows > 0 ? SQLITE_ABORT : rc;
}

void
db_reset(struct db *db, unsigned int n)
{
	sqlite3_reset(db->statements[n].stmt);
}
