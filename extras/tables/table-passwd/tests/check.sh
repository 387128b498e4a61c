#!/bin/sh
# make check, in the build folder of table-passwd.
set -eu
./table-passwd -n "$srcdir/passwd.sample"
if ./table-passwd -n "$srcdir/tests/passwd" 2>odd; then
	echo "-n found nothing odd in tests/passwd"
	exit 1
fi
grep 'tests/passwd:4: a line with no' odd
"$top_srcdir/tests/transcript" ./table-passwd "$srcdir/tests/passwd" \
    "$srcdir/tests/passwd"
