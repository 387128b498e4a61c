#!/bin/sh
# make check, in the build folder of table-stub.
set -eu
./table-stub -n "$srcdir/table_stub.c"
"$top_srcdir/tests/transcript" ./table-stub "$srcdir/table_stub.c" \
    "$srcdir/tests/stub"
