/* SPDX-License-Identifier: ISC */
/*
 * run-sql FILE: runs the SQL on standard input on a new SQLite file.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static char	 sql[65536];
	sqlite3		*db;
	char		*error = NULL;

	if (argc != 2 || fread(sql, 1, sizeof(sql) - 1, stdin) == 0)
		return 2;
	unlink(argv[1]);
	if (sqlite3_open(argv[1], &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", argv[1],
		    error == NULL ? "can't be made" : error);
		return 1;
	}
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
