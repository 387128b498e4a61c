#!/bin/sh
# make check, in the build folder of table-sqlite.
set -eu
./tests/run-sql mail.sqlite <"$srcdir/tests/mail.sql"
./table-sqlite -n "$srcdir/tests/mail.conf"
"$top_srcdir/tests/transcript" ./table-sqlite "$srcdir/tests/mail.conf" \
    "$srcdir/tests/mail"
