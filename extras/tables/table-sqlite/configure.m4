TABLE_BACKEND([sqlite], [sqlite3 >= 3.20], [libsqlite3-dev])
