#!/bin/sh
# Drives table-query against tests/fake-table, which behaves well or badly as
# ARG tells it to.  From the environment: TABLE_QUERY, FAKE_TABLE, MANUAL.
set -u
LC_ALL=C
export LC_ALL
query=${TABLE_QUERY:?} fake=${FAKE_TABLE:?} manual=${MANUAL:?}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
tab=$(printf '\t')
tests=0 failures=0
: > "$dir/in"

# verdict NAME: says whether the command before it succeeded.
verdict() {
	if [ $? -eq 0 ]; then
		tests=$((tests + 1))
		return
	fi
	tests=$((tests + 1)) failures=$((failures + 1))
	echo "FAILED: $1"
}

# t NAME STATUS STDOUT STDERR ARG...: STDOUT is exact but for times, STDERR a
# pattern.  Standard input is what keys() wrote last.
t() {
	name=$1 status=$2 out=$3 err=$4
	shift 4
	"$query" "$@" < "$dir/in" > "$dir/out" 2> "$dir/err"
	got=$?
	sed 's/"ms":[0-9]*\.[0-9][0-9][0-9]}/"ms":N}/' "$dir/out" > "$dir/out2"
	errors=$(cat "$dir/err")
	case $errors in
	$err) match=yes ;;
	*) match=no ;;
	esac
	[ "$got" = "$status" ] && [ "$(cat "$dir/out2")" = "$out" ] &&
	    [ $match = yes ]
	verdict "$name"
	if [ "$got" != "$status" ] || [ "$(cat "$dir/out2")" != "$out" ] ||
	    [ $match = no ]; then
		printf '  %s\n' "status $got, due $status" \
		    "stdout $(head -c 500 "$dir/out2")" "due    $out" \
		    "stderr $errors" "due    $err"
	fi
}

# keys TEXT: what standard input holds, a format of printf.
keys() {
	printf "$1" > "$dir/in"
}

# Starting, and what is registered.
t 'shows what is registered' 0 "alias
userinfo
source
auth" '' "$fake"
t 'the same as JSON' 0 \
    '{"table":"fake-table","registers":["alias","userinfo","source","auth"]}' '' -j "$fake"
t 'imsg has no registration' 0 '' '*registers nothing*' -o "$fake"
t 'imsg has no registration, as JSON' 0 '{"table":"fake-table","registers":null}' \
    '' --imsg --json "$fake"
t 'started as smtpd does' 0 'name=fake-table arg= more-fds=0' '' \
    "$fake" lookup alias start
t 'name and argument' 0 'name=users arg=/etc/x:y|z more-fds=0' '' \
    -t users "$fake:/etc/x:y|z" lookup alias start
t 'name and argument over imsg' 0 'name=users arg=/etc/x:y more-fds=0' '' \
    -o --name users "$fake:/etc/x:y" lookup alias start
exec 7< "$dir/in"
t 'no descriptor is handed down' 0 'name=fake-table arg= more-fds=0' '' \
    "$fake" lookup alias start
exec 7<&-
mkdir "$dir/libexec"
cp "$fake" "$dir/libexec/table-fake"
t 'found in a folder' 0 'name=fake arg=a more-fds=0' '' \
    -L "$dir/libexec" fake:a lookup alias start
t 'not found in a folder' 2 '' '*there is no */libexec/table-other' \
    --libexec "$dir/libexec" other:a lookup alias start
t 'found nowhere' 2 '' '*there is no table-no-such-type in *' no-such-type
echo text > "$dir/text"
t 'no program' 2 '' '*/text: *' "$dir/text" lookup alias a
"$query" "$fake" lookup alias a <&- > "$dir/out" && [ "$(cat "$dir/out")" = VALUE:a ]
verdict 'standard input is closed'
"$query" "$fake" lookup alias a >&- 2> "$dir/err"
[ $? -eq 0 ] && [ ! -s "$dir/err" ]
verdict 'standard output is closed: nothing gets to the table'

# Operations.
t 'lookup' 0 VALUE:a '' "$fake" lookup alias a
t 'lookup not found' 1 '' not-found "$fake" lookup alias nobody
t 'lookup error' 2 '' 'error: out of order' "$fake" lookup alias bad
t 'check' 0 found '' "$fake" check alias a
t 'check not found' 1 '' not-found "$fake" check alias nobody
t 'fetch' 0 192.0.2.1 '' "$fake" fetch source
t 'update' 0 ok '' "$fake" update
t 'update fails' 2 '' 'error: not today' "$fake:fails" update
t 'lookup over imsg' 0 VALUE:a '' -o "$fake" lookup alias a
t 'lookup not found over imsg' 1 '' not-found -o "$fake" lookup alias nobody
t 'lookup error over imsg' 2 '' error -o "$fake" lookup alias bad
t 'check over imsg' 0 found '' -o "$fake" check alias a
t 'fetch over imsg' 0 192.0.2.1 '' -o "$fake" fetch source
t 'update over imsg' 0 ok '' -o "$fake" update
t 'update fails over imsg' 2 '' error -o "$fake:fails" update
t 'several keys, the worst status' 1 "a${tab}found${tab}VALUE:a
nobody${tab}not-found" '' "$fake" lookup alias a nobody
t 'several keys with an error' 2 "bad${tab}error${tab}out of order
a${tab}found" '' "$fake" check alias bad a
t 'a service that is not registered is asked all the same' 0 VALUE:a \
    '*fake-table does not register domain' "$fake" lookup domain a
t 'a value that smtpd does not take' 2 no:user:info '*can?t take this value*' \
    "$fake" lookup userinfo odd

# Keys.
t 'lower case' 0 VALUE:ab '' "$fake" lookup alias AB
t 'as is' 0 VALUE:AB '' -k "$fake" lookup alias AB
FAKE_TRANSCRIPT="$dir/log" "$query" "$fake" check auth 'Bob:Se:|cret' > "$dir/out"
tail -n 1 "$dir/log" | grep -q '|check|auth|[0-9a-f]\{8\}|Bob:Se:|cret$'
verdict 'auth keeps the case'
t 'auth shows no password' 1 "bob:********${tab}found
no:********${tab}not-found" '' "$fake" check auth bob:secret no:secret
t 'auth shows no password in JSON' 2 \
    '{"table":"fake-table","operation":"check","service":"auth","key":"bad:********","result":"error","error":"out of order","ms":N}' \
    '' -j "$fake" check auth bad:secret
t 'auth without a colon is all password' 0 "********${tab}found
********${tab}found" '' "$fake" check auth secret secret
key=$(printf '%01023d' 7)
t 'a key of 1023 bytes' 0 "VALUE:$key" '' "$fake" lookup alias "$key"
t 'a key of 1024 bytes' 2 '' 'error: the key is longer than 1023 bytes*' \
    "$fake" lookup alias "${key}0"
t 'a key with a line break' 2 '' 'error: the key holds a line break*' \
    "$fake" lookup alias 'a
b'
t 'a key with a line break over imsg' 0 found '' -o "$fake" check alias 'a
b'
t 'an empty key' 0 VALUE: '' "$fake" lookup alias ''
keys 'a\r\n\nB\nnobody\nlast'
t 'keys from standard input' 1 "a${tab}found${tab}VALUE:a
${tab}found${tab}VALUE:
b${tab}found${tab}VALUE:b
nobody${tab}not-found
last${tab}found${tab}VALUE:last" '' "$fake" lookup alias -
{ printf 'a\n'; printf '%0200000d' 0; printf '\nb\n'; printf '%01024d' 0; } > "$dir/in"
zeros=$(printf '%01023d' 0)
why='the key is longer than 1023 bytes: smtpd refuses it'
t 'long lines on standard input' 2 "a${tab}found
$zeros${tab}error${tab}$why
b${tab}found
$zeros${tab}error${tab}$why" '' "$fake" check alias -
keys 'a\000b\n'
t 'a NUL on standard input' 2 "a\\x00b${tab}error${tab}the key holds a NUL" '' \
    "$fake" check alias -
keys ''
t 'no keys at all' 0 '' '' "$fake" lookup alias -

# Many in flight, over both wires; answers are held back and come in reverse.
i=0
while [ $i -lt 40 ]; do echo "k$i"; i=$((i + 1)); done > "$dir/in"
due=$(sed "s/.*/&${tab}found${tab}VALUE:&/" "$dir/in")
t 'answers in any order' 0 "$due" '' -c 8 "$fake:hold:8" lookup alias -
t 'no more in flight than wanted' 2 '' '*no answer within 0.3 s*' \
    -w 0.3 -c 7 "$fake:hold:8" lookup alias -
t 'one at a time' 0 "$due" '' -c 1 "$fake" lookup alias -
t 'many over imsg' 0 "$due" '' -o "$fake" lookup alias -
t 'keys of the command are asked one at a time' 2 '' '*no answer*' \
    -w 0.3 "$fake:hold:2" lookup alias a b
awk 'BEGIN { for (i = 0; i < 12000; i++) printf "%01000d\n", i }' > "$dir/in"
"$query" -c 10000 "$fake:long:2000" lookup alias - < "$dir/in" > "$dir/out" &&
    cut -f 1 "$dir/out" | cmp - "$dir/in"
verdict 'both sides write much at once'
"$query" -o -c 10000 "$fake:long:2000" lookup alias - < "$dir/in" > "$dir/out" &&
    cut -f 1 "$dir/out" | cmp - "$dir/in"
verdict 'both sides write much at once over imsg'
mkfifo "$dir/fifo"
: > "$dir/out-now"
"$query" "$fake" check alias - < "$dir/fifo" > "$dir/out-now" &
exec 7> "$dir/fifo"
echo a >&7
i=0
while [ ! -s "$dir/out-now" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
[ "$(cat "$dir/out-now")" = "a${tab}found" ]
verdict 'an answer does not wait for the next key'
exec 7>&-
wait
keys 'a\n'

# Recipients.
t 'expand: all look-ups, in order' 1 "  no+tag@dom${tab}not-found
  no@dom${tab}not-found
  no+tag${tab}not-found
  no${tab}not-found
  @dom${tab}not-found
  @${tab}not-found" '' "$fake:nothing" expand NO+tag@Dom
t 'expand: catch-all' 0 "  no+tag@dom${tab}not-found
  no@dom${tab}not-found
  no+tag${tab}not-found
  no${tab}not-found
* @dom${tab}found${tab}VALUE:@dom" '' "$fake" expand no+tag@dom
t 'expand: stops at the first' 0 "* a+b@dom${tab}found${tab}VALUE:a+b@dom" '' \
    "$fake" expand a+b@dom
t 'expand: stops at an error' 2 "  bad@dom${tab}error${tab}out of order" '' \
    "$fake" expand bad@dom
t 'expand: an empty tag' 1 "  no@dom${tab}not-found
  no${tab}not-found
  @dom${tab}not-found
  @${tab}not-found" '' "$fake:nothing" expand no+@dom
t 'expand: another delimiter' 1 "  a-b+c${tab}not-found
  a${tab}not-found" '' -d - "$fake:nothing" expand a-b+c
t 'expand: a local user' 1 "  no+${tab}not-found
  no${tab}not-found" '' "$fake" expand NO+
t 'expand: over imsg' 0 "  no@dom${tab}not-found
  no${tab}not-found
* @dom${tab}found${tab}VALUE:@dom" '' -o "$fake" expand no@dom
t 'expand: as JSON' 0 \
    '{"table":"fake-table","operation":"lookup","service":"alias","key":"no@dom","result":"not-found","ms":N}
{"table":"fake-table","operation":"lookup","service":"alias","key":"no","result":"not-found","ms":N}
{"table":"fake-table","operation":"lookup","service":"alias","key":"@dom","result":"found","value":"VALUE:@dom","taken":true,"ms":N}' \
    '' -j "$fake" expand no@dom

# JSON.
t 'JSON of a fetch' 0 \
    '{"table":"t","operation":"fetch","service":"source","result":"found","value":"192.0.2.1","ms":N}' \
    '' -j -t t "$fake" fetch source
t 'JSON of an update' 0 '{"table":"t","operation":"update","result":"ok","ms":N}' \
    '' -j -t t "$fake" update
t 'JSON of a check' 1 \
    '{"table":"t","operation":"check","service":"alias","key":"no","result":"not-found","ms":N}' \
    '' -j -t t "$fake" check alias no
t 'JSON of an error' 2 \
    '{"table":"t","operation":"check","service":"alias","key":"bad","result":"error","error":"out of order","ms":N}' \
    '' -j -t t "$fake" check alias bad
t 'JSON of a value that smtpd does not take' 2 \
    '{"table":"t","operation":"lookup","service":"userinfo","key":"odd","result":"found","value":"no:user:info","refused":"the uid is no number from 0 to 4294967294","ms":N}' \
    '' -j -t t "$fake" lookup userinfo odd
bad=$(printf '\357\277\275')
t 'JSON escapes, and replaces what is no UTF-8' 0 \
    '{"table":"t","operation":"lookup","service":"alias","key":"a","result":"found","value":"a\"\\\t\u0001'"$(printf '\303\251')$bad$bad$bad$bad$bad"'|z","ms":N}' \
    '' -j -t t "$fake:binary" lookup alias a
t 'text escapes control characters' 0 \
    'a"\\t\x01'"$(printf '\303\251\303\377\355\240\200')"'|z' \
    '' "$fake:binary" lookup alias a

# What smtpd would not live through: one line that says so, and status 2.
b() {
	manner=$1 due=$2
	shift 2
	case $manner in
	hang*) patience=0.5 ;;
	*) patience=10 ;;
	esac
	t "$manner $*" 2 '' "table-query: fake-table: $due" -w $patience "$@" \
	    "$fake:$manner" lookup alias a
}
exit='smtpd would exit'
b stray "says \"hello\" instead of lookup-result|...: $exit"
b other-id "answers the id \"0badcafe\", which was not asked: $exit"
b other-op "says \"fetch-result|????????|found|VALUE:a\" instead of *: $exit"
b word "answers lookup with \"perhaps\": $exit"
b empty "finds an empty value: $exit"
b none "registers no service: $exit"
b unknown "registers the unknown service \"frobnicate\": $exit"
b greet "says \"hello\" instead of register|*: $exit"
b die-start "ended with status 3 before it was ready: $exit"
b die-ask "ended with status 3 without an answer: $exit"
b crash-ask "killed by signal 9 without an answer: $exit"
b close-start "closed its end before it was ready (*want -o): $exit"
b close-ask "closed its end without an answer: $exit"
b hang-start 'no answer within 0.5 s (*want -o): smtpd would wait for ever'
b hang-ask 'no answer within 0.5 s: smtpd would wait for ever'
b hang-ask,stubborn 'no answer within 0.5 s: smtpd would wait for ever'
b other-type "a frame of type 1, where 0 is due: $exit" -o
b other-len "a frame of 3 bytes (*): $exit" -o
b number 'answers with the number 7: smtpd would misread it' -o
b empty "finds no value: $exit" -o
b no-nul "a value that no NUL ends: $exit" -o
b die-start "ended with status 3 before it was ready: $exit" -o
b die-ask "ended with status 3 without an answer: $exit" -o
b crash-ask "killed by signal 9 without an answer: $exit" -o
b close-ask "closed its end without an answer: $exit" -o
b hang-start 'no answer within 0.5 s (*): smtpd would wait for ever' -o
b hang-ask 'no answer within 0.5 s: smtpd would wait for ever' -o
t 'a frame too long' 2 '' "*an answer that is 3 bytes too long: $exit" \
    -o "$fake:extra" check alias a
t 'an answer that comes twice' 2 VALUE:a "*says \"lookup-result|*unasked: $exit" \
    "$fake:twice" lookup alias a
t 'a frame that comes twice' 2 VALUE:a "*unasked: $exit" \
    -o "$fake:twice" lookup alias a
keys 'a\nb\n'
t 'an answer that comes twice, before the next' 2 "a${tab}found" '*not asked*' \
    -c 1 "$fake:twice" check alias -
t 'an answer that comes twice, before an older one' 2 '' '*not asked*' \
    -c 2 "$fake:twice,hold:4" check alias -
t 'a value with a newline' 2 VALUE:a "*says \"second half\\\\n\" unasked: $exit" \
    "$fake:newline" lookup alias a
t 'a last word' 2 VALUE:a "*says \"bye\\\\n\" unasked: $exit" \
    "$fake:last-word" lookup alias a
t 'does not end with smtpd' 0 VALUE:a '*does not end when smtpd is gone: killed' \
    "$fake:hang-end" lookup alias a
t 'crashes at its end' 0 VALUE:a '*killed by signal 9 at its end' \
    "$fake:crash-end" lookup alias a

# No child is left behind.
for manner in close-ask hang-ask hang-ask,stubborn hang-end,stubborn other-id; do
	FAKE_PID=1 "$query" -w 0.3 "$fake:$manner" lookup alias a \
	    > /dev/null 2> "$dir/err"
	pid=$(sed -n 's/^pid //p' "$dir/err")
	[ -n "$pid" ] && ! kill -0 "$pid" 2> /dev/null
	verdict "$manner leaves nothing behind"
done

# To the byte what smtpd says.
FAKE_TRANSCRIPT="$dir/log" "$query" -s 7.6.0p1 -t aliases "$fake" \
    lookup alias Root@Example.ORG > "$dir/out"
sed 's/|[0-9]*\.[0-9]\{6\}|/|TIME|/; s/|[0-9a-f]\{8\}|/|ID|/' "$dir/log" > "$dir/log2"
cmp "$dir/log2" - <<END
config|smtpd-version|7.6.0p1
config|protocol|0.1
config|tablename|aliases
config|ready
table|0.1|TIME|aliases|lookup|alias|ID|root@example.org
END
verdict 'what is written to a table'
FAKE_TRANSCRIPT="$dir/log" "$query" "$fake" update > "$dir/out"
tail -n 1 "$dir/log" |
    grep -q '^table|0\.1|[0-9]*\.[0-9]\{6\}|fake-table|update|[0-9a-f]\{8\}$'
verdict 'what an update is'
FAKE_TRANSCRIPT="$dir/log" "$query" "$fake" fetch source > "$dir/out"
tail -n 1 "$dir/log" |
    grep -q '^table|0\.1|[0-9]*\.[0-9]\{6\}|fake-table|fetch|source|[0-9a-f]\{8\}$'
verdict 'what a fetch is'
for q in '4 16:update' '5 33:check alias root' '6 33:lookup alias root' \
    '7 28:fetch source'; do
	FAKE_TRANSCRIPT="$dir/log" "$query" -o "$fake" ${q#*:} > "$dir/out"
	[ "$(cat "$dir/log")" = "2 2068
${q%%:*}
3 16" ]
	verdict "frames of ${q#*:}"
done

# Measuring.
keys 'a\nnobody\n'
"$query" -b 1001 "$fake" lookup alias - < "$dir/in" > "$dir/out"
[ $? -eq 1 ] && grep -Eq '^lookup alias: 1001 asked, 64 at once, in [0-9.]+ s: [0-9]+/s, median [0-9.]+ ms, p99 [0-9.]+ ms; 501 found, 500 not found, 0 errors$' "$dir/out"
verdict 'bench'
"$query" -j -b 10 -c 1 -o "$fake" fetch source > "$dir/out" &&
    grep -Eq '^\{"table":"fake-table","operation":"fetch","service":"source","asked":10,"jobs":1,"seconds":[0-9.]+,"per_second":[0-9]+,"median_ms":[0-9.]+,"p99_ms":[0-9.]+,"found":10,"not_found":0,"errors":0\}$' "$dir/out"
verdict 'bench of a fetch, as JSON'
keys ''
t 'bench without keys' 2 '' '*no keys*' -b 10 "$fake" lookup alias -

# Progress, for terminals only.
awk 'BEGIN { for (i = 0; i < 30; i++) print i }' > "$dir/in"
t 'no progress without a terminal' 0 "$(sed "s/$/${tab}found/" "$dir/in")" '' \
    -c 1 "$fake:slow:20" check alias -
if script -qec true /dev/null > /dev/null 2>&1; then
	script -qec "'$query' -c 1 '$fake:slow:20' check alias - < '$dir/in' > '$dir/out'" \
	    /dev/null > "$dir/tty" < /dev/null
	grep -Eq '[0-9]+ asked, [0-9]+/s, 0 not found, 0 errors' "$dir/tty"
	verdict 'progress on a terminal'
fi

# Usage.
u() {
	due=$1
	shift
	t "usage: $*" 2 '' "$due" "$@"
}
u 'usage:*'
u '*there is no operation frob*usage:*' "$fake" frob
u '*usage:*' "$fake" lookup
u '*usage:*' "$fake" lookup alias
u '*no service frob; the services are: alias *auth' "$fake" lookup frob a
u 'usage:*' "$fake" fetch source a
u 'usage:*' "$fake" update a
u 'usage:*' "$fake" expand
u 'usage:*' "$fake" expand a b
u '*usage:*' -Z "$fake"
u '*jobs: a number from 1 to 10000, not 0' -c 0 "$fake"
u '*jobs: a number from 1 to 10000, not 1x' --jobs 1x "$fake"
u '*bench: a number from *, not -1' -b -1 "$fake"
u '*timeout: seconds from *, not 0' -w 0 "$fake"
u '*timeout: seconds from *, not x' --timeout x "$fake"
u '*delimiter: one character*' -d ab "$fake"
u "*table name: *no '|'*" -t 'a|b' "$fake"
u "*smtpd version: *no '|'*" -s '' "$fake"
u '*bench: of check, lookup and fetch only' -b 5 "$fake" update
"$query" --help > "$dir/out" && grep -q '^usage: table-query' "$dir/out"
verdict 'help'
for flag in $(sed -n 's/.*\[-\([a-z]*\)\].*/\1/p' "$dir/out" | fold -w 1) \
    $(grep -o '\[-[A-Za-z] ' "$dir/out" | cut -c 3); do
	grep -q "^\.It Fl $flag" "$manual"
	verdict "the manual tells of -$flag"
done

# The manual's examples, with a fake table for each type.
for type in sqlite passwd; do
	cp "$fake" "$dir/libexec/table-$type"
done
cp "$fake" "$dir/table-sqlite"
printf 'bob\nnobody\n' > "$dir/users"
sed -n 's/^\.Dl \$ table-query //p' "$manual" > "$dir/examples"
[ -s "$dir/examples" ]
verdict 'the manual has examples'
while read -r line; do
	(cd "$dir" && eval "'$query' -L '$dir/libexec' $line") \
	    > "$dir/out" 2> "$dir/err" < /dev/null
	[ $? -le 1 ] && [ -s "$dir/out" ] && [ ! -s "$dir/err" ]
	verdict "example: $line"
done < "$dir/examples"

echo "$((tests - failures)) of $tests passed"
[ $failures -eq 0 ]
