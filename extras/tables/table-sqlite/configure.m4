TABLE_BACKEND([sqlite], [sqlite3 >= 3.7.15], [libsqlite3-dev])
