"""table-sqlite on real SQLite files."""

import fcntl
import os
import re
import sqlite3
import subprocess
import sys
import time

import pytest

from harness import let_others_in, program, wait_until
from raw import Table, request

SQLITE = program("table-sqlite")
SCHEMA = """
CREATE TABLE kv (k TEXT, v);
CREATE INDEX ki ON kv (k);
CREATE TABLE users (login TEXT PRIMARY KEY, hash, uid, gid, home);
INSERT INTO kv VALUES ('a', 'one'), ('many', '1@x'), ('many', '2@x'), ('null', NULL),
    ('empty', ''), ('newline', 'a' || char(10) || 'b'), ('nul', CAST(x'610062' AS TEXT)),
    ('long', printf('%.2047c', 'x')), ('longer', printf('%.2048c', 'x')), ('number', 7),
    ('bob@example.org', 'bob'), ('host', 'h.example');
INSERT INTO users VALUES ('bob', '$6$h', 1000, 1001, '/h'), ('text', '$6$h', '1000', '1001', '/h'),
    ('blob', CAST('$6$h' AS BLOB), CAST('1000' AS BLOB), 1001, '/h'), ('real', 'h', 1000.5, 1, '/h'),
    ('null', NULL, NULL, 0, '/h'), ('name', 'h', 'root', 0, '/h'), ('negative', 'h', -1, 0, '/h'),
    ('large', 'h', 4294967294, 3000000000, '/h'), ('toolarge', 'h', 4294967295, 0, '/h'),
    ('huge', 'h', 9223372036854775807, 0, '/h'), ('emptyuid', 'h', '', 0, '/h');
"""
QUERIES = """
query_alias SELECT v FROM kv WHERE k = ?
query_credentials SELECT login, hash FROM users WHERE login = ?
query_userinfo SELECT uid, gid, home FROM users WHERE login = ?
query_domain SELECT v FROM kv WHERE k = ?
"""


class Mail:
    """A database and a configuration."""

    def __init__(self, folder):
        self.path = folder / "mail.sqlite"
        self.conf = folder / "sqlite.conf"
        self.sql(SCHEMA)
        self.configure(QUERIES)

    def sql(self, text):
        db = self.connect()
        db.executescript(text)
        db.commit()
        db.close()

    def connect(self):
        return sqlite3.connect(self.path, timeout=10, isolation_level=None)

    def configure(self, text):
        self.conf.write_text(f"dbpath {self.path}\n{text}")


@pytest.fixture
def mail(tmp_path):
    return Mail(tmp_path)


def refused(mail, *options):
    """What it says when it does not start."""
    done = subprocess.run([SQLITE, *options, mail.conf], stdin=subprocess.DEVNULL, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def under_asan():
    return "asan" in subprocess.run(["ldd", SQLITE], stdout=subprocess.PIPE, text=True).stdout


ONE_COLUMN = "alias domain netaddr source mailaddr addrname mailaddrmap relayhost string regex".split()


@pytest.mark.parametrize("service", ONE_COLUMN)
def test_every_service_has_its_query(start, mail, service):
    value = "192.0.2.1" if service == "source" else "h.example"
    mail.sql(f"INSERT INTO kv VALUES ('key', '{value}')")
    mail.configure(f"query_{service} SELECT v FROM kv WHERE k = ?")
    t = start("table-sqlite", mail.conf)
    assert t.wire == "imsg" or t.services == [service]
    assert t.check(service, "key") == "found"
    assert t.check(service, "other") == "not-found"
    assert t.lookup(service, "key") == ("found", value)
    assert t.lookup(service, "other") == ("not-found", None)


def test_auth_has_login_and_password(start, mail):
    mail.configure("query_auth SELECT 1 FROM users WHERE login = %{login} AND hash = %{password}")
    t = start("table-sqlite", mail.conf)
    assert t.check("auth", "bob:$6$h") == "found"
    assert t.check("auth", "bob:$6$") == "not-found"
    assert t.check("auth", "bob") == "not-found"


def test_fetches(start, mail):
    mail.configure("fetch_source SELECT '127.0.0.' || column1 FROM (VALUES (1), (2))\n"
                   "fetch_relayhost SELECT 'smtp://relay' || column1 FROM (VALUES (1), (2))\n")
    t = start("table-sqlite", mail.conf)
    assert [t.fetch("source")[1] for _ in range(3)] == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    assert [t.fetch("relayhost")[1] for _ in range(3)] == ["smtp://relay1", "smtp://relay2", "smtp://relay1"]
    assert t.fetch("alias")[0] == "error"
    assert t.check("source", "127.0.0.1") == "error"


def test_a_fetched_list_is_read_again(start, mail):
    mail.configure("fetch_source SELECT v FROM kv WHERE k = 's'\nfetch_source_refresh 2\n")
    mail.sql("INSERT INTO kv VALUES ('s', '127.0.0.1')")
    t = start("table-sqlite", mail.conf)
    assert t.fetch("source")[1] == "127.0.0.1"
    mail.sql("UPDATE kv SET v = '127.0.0.9' WHERE k = 's'")
    assert [t.fetch("source")[1] for _ in range(2)] == ["127.0.0.1", "127.0.0.9"]
    mail.configure("fetch_source SELECT v FROM kv WHERE k = 's'\nfetch_source_expire 1\n")
    assert t.update()
    t.fetch("source")
    mail.sql("UPDATE kv SET v = '127.0.0.8' WHERE k = 's'")
    wait_until(lambda: t.fetch("source")[1] == "127.0.0.8", "fetch_source_expire")
    mail.sql("DELETE FROM kv WHERE k = 's'")
    wait_until(lambda: t.fetch("source") == ("not-found", None), "the empty list")


VALUES = [("a", "found", "one"), ("many", "found", "1@x, 2@x"), ("none", "not-found", None), ("number", "found", "7"),
          ("null", "error", "a column is NULL"), ("empty", "error", "a column is empty"),
          ("newline", "error", "the value holds a line break"), ("nul", "error", "the value holds a NUL"),
          ("long", "found", 2047 * "x"), ("longer", "error", "the value is longer than 2047 bytes")]


@pytest.mark.parametrize("key, word, value", VALUES, ids=[v[0] for v in VALUES])
def test_values(start, mail, key, word, value):
    t = start("table-sqlite", mail.conf)
    got = t.lookup("alias", key)
    assert got == (word, value if t.wire == "line" or word == "found" else None)


USERS = [("bob", "1000:1001:/h"), ("text", "1000:1001:/h"), ("blob", "1000:1001:/h"),
         ("large", "4294967294:3000000000:/h"), ("nobody", None)]


@pytest.mark.parametrize("login, value", USERS, ids=[u[0] for u in USERS])
def test_ids_of_any_type(start, mail, login, value):
    t = start("table-sqlite", mail.conf)
    assert t.lookup("userinfo", login) == ("not-found" if value is None else "found", value)


@pytest.mark.parametrize("login", "real null name negative toolarge huge emptyuid".split())
def test_no_id_becomes_root(start, mail, login):
    assert start("table-sqlite", mail.conf).lookup("userinfo", login)[0] == "error"


def test_a_null_hash_is_nobodys(start, mail):
    t = start("table-sqlite", mail.conf)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$h")
    assert t.lookup("credentials", "null")[0] == "error"
    assert t.lookup("credentials", "blob") == ("found", "blob:$6$h")


def test_rows_that_differ(start, mail):
    mail.configure("query_credentials SELECT 'bob', v FROM kv WHERE k = ?\n"
                   "query_addrname SELECT 'same' FROM kv WHERE k = ?")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("credentials", "many")[0] == "error"
    assert t.lookup("addrname", "many") == ("found", "same")


def test_a_row_of_nulls_is_no_match(start, mail):
    mail.configure("query_domain SELECT max(v) FROM kv WHERE k = ?")
    t = start("table-sqlite", mail.conf)
    assert t.check("domain", "a") == "found"
    assert t.check("domain", "nowhere") == "not-found"


PARAMETERS = [
    "SELECT ? || '/' || ?", "SELECT ?1 || '/' || ?1", "SELECT :key || '/' || @key",
    "SELECT $key || '/' || :key", "SELECT %{key} || '/' || %{key}", "SELECT ? || '/' || %{key}",
    "SELECT :user || '@' || :domain || '/' || :key", "SELECT %{account} || '+' || %{tag} || '@' || :domain || '/' || ?",
]


@pytest.mark.parametrize("query", PARAMETERS)
def test_parameters(start, mail, query):
    mail.configure(f"query_alias {query}")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "u+t@example.org") == ("found", "u+t@example.org/u+t@example.org")


def test_a_part_that_a_key_lacks_is_null(start, mail):
    mail.configure("query_alias SELECT coalesce(:domain, 'none') || %{table} || :service || :operation")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "bob") == ("found", "nonetaliaslookup")


def test_a_name_of_old_that_stands_alone_is_the_key(start, mail):
    mail.configure("query_alias SELECT v FROM kv WHERE k = :anything")
    assert start("table-sqlite", mail.conf).lookup("alias", "a") == ("found", "one")


def test_nothing_is_pasted(start, mail):
    t = start("table-sqlite", mail.conf)
    for key in ["' OR 1=1 --", "a' UNION SELECT 'x", "%", "?", "%{key}", "\"", "a|b", "\x01", "\xff\xfe", "x" * 1023]:
        assert t.lookup("alias", key) == ("not-found", None)
    assert t.lookup("alias", "a") == ("found", "one")


WRONG = [
    ("query_alias SELECT v FROM kv WHERE k = '%{key}'", ":2: query_alias: a %{variable} stands between quotes"),
    ("query_alias SELECT v FROM kv WHERE k = %{kye}", ":2: query_alias: %{kye} is no variable"),
    ("query_alias SELECT v FROM kv WHERE k = :kye OR k = ?", ":2: query_alias: :kye is no parameter"),
    ("query_alias SELECT nosuch FROM kv", ":2: query_alias: no such column: nosuch"),
    ("query_alias SELECT v FROM nosuch", ":2: query_alias: no such table: nosuch"),
    ("query_alias SELECT v, k FROM kv", ":2: query_alias: a row has too many columns"),
    ("\nquery_userinfo SELECT 1, 2", ":3: query_userinfo: a row has too few columns"),
    ("fetch_source SELECT 1, 2", ":2: fetch_source: a row has too many columns"),
    ("query_alias DELETE FROM kv", ":2: query_alias: must be a query"),
    ("query_alias DELETE FROM kv RETURNING v", ":2: query_alias: must be a query"),
    ("query_alias SELECT 1; DELETE FROM kv", ":2: query_alias: must be one statement"),
    ("query_alias ;", ":2: query_alias: must be one statement"),
    ("query_alais SELECT 1", ":2: unknown directive `query_alais'"),
    ("query_alias SELECT 1\nquery_alias SELECT 2", ":3: query_alias is set a second time, after line 2"),
    ("query_alias", ":2: query_alias has no value"),
    ("query_credentials SELECT 1, 2, 3", ":2: query_credentials: a row has too many columns"),
    ("query_userinfo SELECT 1, 2, 3, 4", ":2: query_userinfo: a row has too many columns"),
    ("query_addrname SELECT 1, 2", ":2: query_addrname: a row has too many columns"),
    ("query_mailaddrmap SELECT 1, 2", ":2: query_mailaddrmap: a row has too many columns"),
    ("query_relayhost SELECT 1, 2", ":2: query_relayhost: a row has too many columns"),
    ("fetch_relayhost SELECT 1, 2", ":2: fetch_relayhost: a row has too many columns"),
    ("query_alias ATTACH 'other' AS o", ":2: query_alias: must be a query"),
    ("query_alias SELECT v FORM kv", ':2: query_alias: near "kv": syntax error'),
    ("query_alias SELECT 1\ntimeout 0", ":3: timeout: must be from 50ms"),
    ("", "no service is configured"),
]


@pytest.mark.parametrize("text, said", WRONG, ids=[str(i) for i in range(len(WRONG))])
@pytest.mark.parametrize("options", [(), ("-n",)], ids=["start", "-n"])
def test_wrong_configurations(mail, text, said, options):
    mail.configure(text)
    assert said in refused(mail, *options)


@pytest.mark.parametrize("end", ["; ", ";;", "; -- by bob", " /* by bob */ ; /* or eve */"])
def test_what_may_stand_behind_a_query(start, mail, end):
    mail.configure(f"query_alias SELECT v FROM kv WHERE k = ?{end}")
    assert start("table-sqlite", mail.conf).lookup("alias", "a") == ("found", "one")


TAKEN_AS_IT_IS = [
    ("SELECT v FROM kv WHERE k LIKE '%' || ? || '%' AND v = 'one'", "one"),
    ("SELECT ':user ? @key' WHERE ? = 'a'", ":user ? @key"),
    ("SELECT '%%{key}' WHERE ? = 'a'", "%{key}"), ("SELECT v FROM kv WHERE k = ? -- don't worry", "one"),
    ("SELECT v FROM kv /* ? */ WHERE k = ?", "one"), ("VALUES (?)", "a"),
    ("WITH w AS (SELECT ? AS k) SELECT v FROM w JOIN kv USING (k)", "one"),
    ("SELECT v FROM kv WHERE k = %{key} AND %{key} NOT LIKE '100%'", "one"), ("SELECT v FROM kv WHERE k = ?2", "one"),
]


@pytest.mark.parametrize("query, value", TAKEN_AS_IT_IS, ids=[str(i) for i in range(len(TAKEN_AS_IT_IS))])
def test_what_looks_like_a_parameter(start, mail, query, value):
    mail.configure(f"query_alias {query}")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", value)


def test_no_dbpath(mail):
    mail.conf.write_text("query_alias SELECT 1\n")
    assert "dbpath is missing" in refused(mail)


def test_a_mistyped_path_creates_nothing(mail, tmp_path):
    mail.conf.write_text(f"dbpath {tmp_path}/mial.sqlite\n{QUERIES}")
    assert f":1: dbpath: {tmp_path}/mial.sqlite: No such file or directory" in refused(mail)
    assert not (tmp_path / "mial.sqlite").exists()


def test_what_is_no_database(mail, tmp_path):
    mail.conf.write_text(f"dbpath {tmp_path}\n{QUERIES}")
    assert "not a file" in refused(mail)
    (tmp_path / "text").write_text("no database at all, but long enough to look at\n" * 100)
    mail.conf.write_text(f"dbpath {tmp_path}/text\nquery_alias SELECT 1\n")
    assert "not a database" in refused(mail)


def test_nothing_is_written(start, mail):
    t = start("table-sqlite", mail.conf)
    before = mail.path.read_bytes()
    t.lookup("alias", "a")
    assert mail.path.read_bytes() == before
    flags = [open(f"/proc/{t.child.pid}/fdinfo/{fd}").read() for fd in os.listdir(f"/proc/{t.child.pid}/fd")
             if os.readlink(f"/proc/{t.child.pid}/fd/{fd}") == str(mail.path)]
    assert flags and all(int(re.search(r"flags:\s+(\d+)", f).group(1), 8) & 3 == os.O_RDONLY for f in flags)


def test_an_empty_file_is_a_database_without_tables(mail, tmp_path):
    (tmp_path / "empty").touch()
    mail.conf.write_text(f"dbpath {tmp_path}/empty\n{QUERIES}")
    assert "no such table" in refused(mail)
    assert (tmp_path / "empty").stat().st_size == 0


def test_a_database_in_utf_16(start, mail):
    mail.path.unlink()
    mail.sql("PRAGMA encoding = 'UTF-16le'; CREATE TABLE kv (k TEXT, v); INSERT INTO kv VALUES ('ä@x', 'ü')")
    mail.configure("query_alias SELECT v FROM kv WHERE k = ?")
    assert start("table-sqlite", mail.conf).lookup("alias", "ä@x") == ("found", "ü")


@pytest.mark.parametrize("service", ["alias", "mailaddrmap"])
def test_the_longest_list(start, mail, service):
    """Rows and the commas between them: 2,047 bytes are taken, 2,048 are not, and none are cut."""
    mail.configure(f"query_{service} SELECT v FROM kv WHERE k = ? ORDER BY rowid")
    rows = 204 * ["12345678"]
    last = 2047 - len(", ".join(rows)) - 2
    for key, size in [("fits", last), ("over", last + 1)]:
        mail.sql("".join(f"INSERT INTO kv VALUES ('{key}', '{row}');" for row in rows + [size * "z"]))
    t = start("table-sqlite", mail.conf)
    word, value = t.lookup(service, "fits")
    assert (word, value) == ("found", ", ".join(rows + [last * "z"]))
    assert len(value) == 2047
    assert t.lookup(service, "over")[0] == "error"
    assert t.lookup(service, "a") == ("found", "one")


class Locked:
    """The file, locked by another program so that nobody can read it."""

    def __init__(self, mail):
        self.db = mail.connect()
        self.db.execute("BEGIN EXCLUSIVE")

    def release(self):
        self.db.execute("COMMIT")
        self.db.close()


def asked(t, first, n):
    """The bytes of n requests, whose ids tell which they are."""
    return b"".join(t.sent("lookup", "alias", "a", f"{i:08x}") for i in range(first, first + n))


def answers(t, n):
    """Of n requests: {id: answers} on lines, where they may come in any order."""
    if t.wire == "imsg":
        return {i: t.answer() for i in range(n)}
    got = {}
    for line in t.lines(n):
        _, ident, word, *value = line.split("|", 3)
        assert int(ident, 16) not in got, f"{ident} is answered twice"
        got[int(ident, 16)] = (word, value[0] if value else None)
    return got


def test_an_update_while_requests_wait_for_a_lock(start, mail):
    """Those that wait belong to what was loaded before: none is lost, none is answered twice."""
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    t.send(asked(t, 0, 50))
    assert t.silent(0.05)
    mail.configure(QUERIES + "fetch_source SELECT '192.0.2.1'\n")
    t.hangup()
    t.send(asked(t, 50, 50))
    assert t.silent(0.2)
    lock.release()
    assert answers(t, 100) == {i: ("found", "one") for i in range(100)}
    assert t.silent(0.1)
    assert t.fetch("source") == ("found", "192.0.2.1")


def test_the_end_while_requests_wait_for_a_lock(start, mail):
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    t.send(asked(t, 0, 20))
    assert t.silent(0.05)
    began = time.monotonic()
    assert t.end() == 0
    assert time.monotonic() - began < 1
    lock.release()


def test_a_wrong_query_that_a_lock_hid_at_the_start(start, mail):
    """It is an error when it is asked for; the others are served."""
    mail.configure("query_alias SELECT v FROM kv WHERE k = ?\nquery_domain SELECT nosuch FROM kv WHERE k = ?")
    lock = Locked(mail)
    t = start("table-sqlite", mail.conf)
    lock.release()
    assert t.lookup("alias", "a") == ("found", "one")
    word, why = t.ask("check", "domain", "a")
    assert word == "error"
    assert t.wire == "imsg" or why.startswith("misconfigured: ") and "no such column: nosuch" in why
    assert not t.update()
    assert t.lookup("alias", "a") == ("found", "one")


def kill_a_writer(mail):
    """As a power cut does: half a transaction in the file, its journal beside it."""
    script = f"""
import os, signal, sqlite3
db = sqlite3.connect({str(mail.path)!r}, isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN IMMEDIATE")
for i in range(2000):
    db.execute("INSERT INTO kv VALUES (?, ?)", (f"half{{i}}", 500 * "x"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], timeout=20)
    assert mail.path.with_name("mail.sqlite-journal").stat().st_size > 0


def test_a_writer_that_was_killed(start, mail):
    """What it left can't be read: an error, and half of it never; the next writer mends it."""
    t = start("table-sqlite", mail.conf)
    kill_a_writer(mail)
    for key in ["a", "none", "half1"]:
        assert t.lookup("alias", key)[0] == "error"
    mail.sql("UPDATE kv SET v = 'mended' WHERE k = 'a'")
    assert t.lookup("alias", "a") == ("found", "mended")
    assert t.lookup("alias", "half1") == ("not-found", None)


def test_a_writer_that_was_killed_is_told_as_such(mail):
    kill_a_writer(mail)
    said = refused(mail, "-n")
    assert "WAL" not in said and "journal" in said


def test_a_start_beside_a_journal_that_a_writer_left(start, mail):
    """smtpd must start after a power cut; the first who may write mends it."""
    mail.configure(QUERIES + "busy_timeout 100ms\n")
    kill_a_writer(mail)
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a")[0] == "error"
    mail.sql("UPDATE kv SET v = 'mended' WHERE k = 'a'")
    assert t.lookup("alias", "a") == ("found", "mended")


def test_a_short_lock_is_waited_for(start, mail):
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    t.send(t.sent("lookup", "alias", "a"))
    assert t.silent(0.5)
    lock.release()
    assert t.answer() == ("found", "one")


def test_a_long_lock_is_an_error(start, mail):
    mail.configure(QUERIES + "busy_timeout 300ms\n")
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    began = time.monotonic()
    assert t.check("domain", "a") == "error"
    assert 0.25 < time.monotonic() - began < 2
    lock.release()
    assert t.check("domain", "a") == "found"


def test_many_wait_for_one_lock(start, mail):
    """The loop is not held up: the last of 300 does not wait 300 times."""
    mail.configure(QUERIES + "busy_timeout 400ms\n")
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    t.send(b"".join(t.sent("lookup", "alias", "a", f"{i:08x}") for i in range(300)))
    began = time.monotonic()
    assert [t.answer()[0] for _ in range(300)] == 300 * ["error"]
    assert time.monotonic() - began < 3
    t.send(b"".join(t.sent("lookup", "alias", "a", f"{i:08x}") for i in range(300)))
    lock.release()
    assert [t.answer() for _ in range(300)] == 300 * [("found", "one")]


def test_the_deadline_counts_for_a_lock_too(start, mail):
    mail.configure(QUERIES + "busy_timeout 60s\ntimeout 300ms\n")
    t = start("table-sqlite", mail.conf)
    lock = Locked(mail)
    began = time.monotonic()
    assert t.lookup("alias", "a")[0] == "error"
    assert time.monotonic() - began < 2
    lock.release()
    assert t.lookup("alias", "a") == ("found", "one")


def test_a_file_that_is_locked_at_the_start(start, mail):
    lock = Locked(mail)
    t = start("table-sqlite", mail.conf)
    t.send(t.sent("lookup", "alias", "a"))
    assert t.silent(0.2)
    lock.release()
    assert t.answer() == ("found", "one")
    lock = Locked(mail)
    mail.configure(QUERIES + "busy_timeout 100ms\n")
    assert "locked" in refused(mail, "-n")
    lock.release()


def test_a_reload_while_the_file_is_locked(start, mail):
    """It waits for the lock, since only then it can tell right from wrong."""
    t = start("table-sqlite", mail.conf)
    for query, done in [("SELECT nosuch FROM kv", "error"), ("SELECT 'new' FROM kv LIMIT 1", "ok" if t.wire == "line" else "found")]:
        lock = Locked(mail)
        mail.configure(f"query_alias {query}")
        t.send(t.sent("update"))
        assert t.silent(0.3)
        lock.release()
        assert t.answer()[0] == done
    assert t.lookup("alias", "a") == ("found", "new")
    lock = Locked(mail)
    mail.configure("query_alias SELECT 'newer' FROM kv LIMIT 1\ntimeout 300ms\n")
    t.hangup()
    time.sleep(0.2)
    lock.release()
    wait_until(lambda: t.lookup("alias", "a") == ("found", "newer"), "SIGHUP while it is locked")
    lock = Locked(mail)
    word, why = t.ask("update")
    assert word == "error" and (t.wire == "imsg" or "database is locked" in why)
    lock.release()


def test_sqlite_never_sleeps_by_itself(start, mail):
    """With a WAL it would, up to 10 s, on the locks of a reader that hangs."""
    mail.configure("query_alias SELECT v FROM kv WHERE k = ?\nquery_domain SELECT 'x' WHERE ? = 'x'\n"
                   "busy_timeout 500ms\ntimeout 2s\n")
    mail.sql("PRAGMA journal_mode = WAL")
    writer = mail.connect()
    writer.execute("UPDATE kv SET v = 'wal' WHERE k = 'a'")
    t = start("table-sqlite", mail.conf)
    with open(f"{mail.path}-shm", "r+b") as shm:
        fcntl.lockf(shm, fcntl.LOCK_EX, 5, 123)
        began = time.monotonic()
        t.send(t.sent("lookup", "alias", "a"))
        assert t.answer()[0] == "error"
        assert time.monotonic() - began < 1.5
        t.send(t.sent("lookup", "alias", "a"))
        assert t.silent(0.1)
    assert t.answer() == ("found", "wal")
    writer.close()


def test_a_deadline_counts_from_the_request(start, mail):
    """Not from when a slow query before it began: then it would be early by as much."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000000) SELECT max(i) FROM n WHERE ? = ?"
    mail.configure(f"query_domain {slow}\nquery_alias SELECT v FROM kv WHERE k = ?\ntimeout 5s\nbusy_timeout 10s\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    lock = Locked(mail)
    began = time.monotonic()
    t.send(t.sent("check", "domain", "x", "1") + t.sent("lookup", "alias", "a", "2"))
    assert t.answer()[0] == "found"
    took = time.monotonic() - began
    assert 0.2 < took < 4, "choose another LIMIT"
    assert t.silent(max(0, 5 - took / 2 - took))
    lock.release()
    assert t.answer() == ("found", "one")


@pytest.mark.parametrize("mode", ["WAL", "DELETE", "TRUNCATE"])
def test_a_writer_at_work(start, mail, mode):
    mail.sql(f"PRAGMA journal_mode = {mode}")
    t = start("table-sqlite", mail.conf)
    db = mail.connect()
    for i in range(50):
        db.execute("UPDATE kv SET v = ? WHERE k = 'a'", (str(i),))
        assert t.lookup("alias", "a") == ("found", str(i))
    db.execute("BEGIN")
    db.execute("UPDATE kv SET v = 'uncommitted' WHERE k = 'a'")
    assert t.lookup("alias", "a") == ("found", "49")
    db.execute("COMMIT")
    db.close()
    assert t.lookup("alias", "a") == ("found", "uncommitted")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_folder_that_cant_be_written(mail, tmp_path, mode):
    """smtpd's user can't write to /etc/mail."""
    let_others_in(tmp_path)
    mail.sql(f"PRAGMA journal_mode = {mode}")
    mail.path.chmod(0o644)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", SQLITE, "-n", mail.conf],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
    if mode == "DELETE":
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1 and "WAL database: this user must be able to write" in done.stderr


@pytest.fixture
def nobodys(tmp_path):
    """table-sqlite as a user who can write nowhere."""
    let_others_in(tmp_path)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups "{SQLITE}" "$1"\n')
    wrapper.chmod(0o755)
    return wrapper


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_folder_that_cant_be_written_is_served_from(wire, mail, nobodys, mode):
    """WAL too, as long as a writer has it open: its -wal and -shm are there."""
    mail.sql(f"PRAGMA journal_mode = {mode}")
    db = mail.connect()
    db.execute("UPDATE kv SET v = 'written' WHERE k = 'a'")
    assert mail.path.with_name("mail.sqlite-wal").exists() == (mode == "WAL")
    with Table(nobodys, str(mail.conf), wire) as t:
        assert os.stat(f"/proc/{t.child.pid}").st_uid == 65534
        assert t.lookup("alias", "a") == ("found", "written")
        db.execute("UPDATE kv SET v = 'again' WHERE k = 'a'")
        assert t.lookup("alias", "a") == ("found", "again")
        db.close()
        assert t.lookup("alias", "a") == ("found", "again")
        mail.sql("UPDATE kv SET v = 'later' WHERE k = 'a'")
        assert t.lookup("alias", "a") == ("found", "later")


def test_a_copy_over_the_file_is_noticed(start, mail, tmp_path):
    """`cp new.sqlite mail.sqlite': the same inode, and as many changes behind it."""
    mail.configure(QUERIES + "check_interval 50ms\n")
    (tmp_path / "other").mkdir()
    other = Mail(tmp_path / "other")
    other.path.unlink()
    other.sql(SCHEMA.replace("'one'", "'two'"))
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    mail.path.write_bytes(other.path.read_bytes())
    wait_until(lambda: t.lookup("alias", "a") == ("found", "two"), "what was copied", 1)


def test_a_file_replaced_by_rubbish(start, mail, tmp_path):
    mail.configure(QUERIES + "check_interval 50ms\n")
    with (tmp_path / "err").open("w") as err:
        t = start("table-sqlite", mail.conf, stderr=err)
    (tmp_path / "new").write_bytes(b"rubbish " * 1000)
    os.rename(tmp_path / "new", mail.path)
    wait_until(lambda: "not a database" in (tmp_path / "err").read_text(), "its refusal")
    time.sleep(0.3)
    assert t.lookup("alias", "a") == ("found", "one"), "the old one stays"
    assert (tmp_path / "err").read_text().count("not a database") == 1, "said once"


def test_a_replaced_file_is_noticed(start, mail, tmp_path):
    mail.configure(QUERIES + "check_interval 100ms\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    (tmp_path / "other").mkdir()
    other = Mail(tmp_path / "other")
    other.sql("UPDATE kv SET v = 'replaced' WHERE k = 'a'")
    os.rename(other.path, mail.path)
    wait_until(lambda: t.lookup("alias", "a") == ("found", "replaced"), "the new file")
    os.unlink(mail.path)
    time.sleep(0.5)
    assert t.lookup("alias", "a") == ("found", "replaced"), "the old one stays"
    t.end()
    assert t.said().count("No such file or directory") == 1, "said once"


def test_schema_changes(start, mail):
    mail.configure("query_alias SELECT * FROM (SELECT v FROM kv WHERE k = ?)\nquery_domain SELECT * FROM kv WHERE k = ?")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    mail.sql("ALTER TABLE kv ADD COLUMN extra")
    assert t.check("domain", "a") == "found"
    assert t.lookup("alias", "a") == ("found", "one")
    mail.sql("ALTER TABLE kv RENAME TO gone")
    assert t.lookup("alias", "a")[0] == "error"
    assert t.check("domain", "a") == "error"
    mail.sql("ALTER TABLE gone RENAME TO kv")
    assert t.lookup("alias", "a") == ("found", "one")
    mail.sql("VACUUM")
    assert t.lookup("alias", "a") == ("found", "one")


def test_a_table_that_grows_under_an_asterisk(start, mail):
    """Columns that were counted at the start are counted again."""
    mail.sql("CREATE TABLE w (v); INSERT INTO w VALUES ('x')")
    mail.configure("query_alias SELECT * FROM w\nquery_credentials SELECT * FROM w, w AS u")
    t = start("table-sqlite", mail.conf)
    mail.sql("UPDATE w SET v = 'xyz'")
    assert t.lookup("alias", "a") == ("found", "xyz")
    assert t.lookup("credentials", "a") == ("found", "xyz:xyz")
    mail.sql("ALTER TABLE w ADD COLUMN extra DEFAULT 'y'")
    assert t.lookup("alias", "a")[0] == "error"
    assert t.lookup("credentials", "a")[0] == "error"
    mail.sql("ALTER TABLE w DROP COLUMN extra")
    assert t.lookup("alias", "a") == ("found", "xyz")


def test_a_table_that_is_dropped_and_made_again(start, mail):
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    mail.sql("DROP TABLE kv")
    for _ in range(3):
        assert t.lookup("alias", "a")[0] == "error"
        assert t.check("domain", "nowhere") == "error"
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$h")
    mail.sql("CREATE TABLE kv (extra, v, k); INSERT INTO kv VALUES (1, 'new', 'a')")
    assert t.lookup("alias", "a") == ("found", "new")


def test_a_query_that_takes_for_ever(start, mail):
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0 AND ? = ?"
    mail.configure(f"query_domain {forever}\nquery_alias SELECT v FROM kv WHERE k = ?\ntimeout 300ms\n")
    t = start("table-sqlite", mail.conf)
    began = time.monotonic()
    assert t.ask("check", "domain", "x")[0] == "error"
    assert 0.25 < time.monotonic() - began < 3
    assert t.lookup("alias", "a") == ("found", "one")
    t.end()
    assert "the query takes longer than timeout" in t.said()


def test_a_check_takes_the_first_row(start, mail):
    """Not all of the 10^9 that match."""
    mail.configure("query_domain WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                   "SELECT i FROM n WHERE i < 1000000000\n")
    assert start("table-sqlite", mail.conf).check("domain", "x") == "found"


def test_a_wrong_query_on_reload(start, mail):
    t = start("table-sqlite", mail.conf)
    mail.configure("query_alias SELECT nosuch FROM kv")
    assert not t.update()
    assert t.lookup("alias", "a") == ("found", "one")
    mail.configure("query_alias SELECT 'new'")
    assert t.update()
    assert t.lookup("alias", "a") == ("found", "new")
    assert t.lookup("credentials", "bob")[0] == "error"


@pytest.mark.parametrize("text, why", [
    ("query_alias SELECT nosuch FROM kv", ":2: query_alias: no such column: nosuch"),
    ("\nquery_alais SELECT 1", ":3: unknown directive `query_alais'"), ("", "no service is configured")])
def test_a_wrong_configuration_on_reload_is_told(start, mail, tmp_path, text, why):
    """To smtpd by an update, in the log by SIGHUP; the old one stays."""
    with (tmp_path / "err").open("w") as err:
        t = start("table-sqlite", mail.conf, stderr=err)
    mail.configure(text)
    t.hangup()
    wait_until(lambda: "stays in force" in (tmp_path / "err").read_text(), "SIGHUP")
    assert why in (tmp_path / "err").read_text()
    assert t.lookup("alias", "a") == ("found", "one")
    word, said = t.ask("update")
    assert word == "error" and (t.wire == "imsg" or why in said)
    mail.conf.unlink()
    word, said = t.ask("update")
    assert word == "error" and (t.wire == "imsg" or "No such file or directory" in said)
    assert t.lookup("alias", "a") == ("found", "one")


def test_hangup(start, mail):
    t = start("table-sqlite", mail.conf)
    mail.configure("query_alias SELECT 'new'")
    t.hangup()
    wait_until(lambda: t.lookup("alias", "a") == ("found", "new"), "SIGHUP")


def test_reloads_leak_no_descriptor(start, mail):
    t = start("table-sqlite", mail.conf)

    def descriptors():
        return sorted(os.readlink(f"/proc/{t.child.pid}/fd/{fd}").split(":")[0]
                      for fd in os.listdir(f"/proc/{t.child.pid}/fd"))

    assert t.update()
    t.lookup("alias", "a")
    before = descriptors()
    for _ in range(100):
        assert t.update()
        assert t.lookup("alias", "a") == ("found", "one")
    assert descriptors() == before


@pytest.mark.skipif(under_asan(), reason="ASan keeps freed memory")
def test_reloads_take_no_memory(start, mail):
    """Good and bad ones of a long query, with a look-up that fills the page cache after each."""
    mail.configure(QUERIES + f"cache_ttl 1m\nfetch_source SELECT '192.0.2.1' /* {10000 * 'x'} */\n")
    good = mail.conf.read_text()
    t = start("table-sqlite", mail.conf)

    def reloaded(times):
        for i in range(times):
            mail.conf.write_text(good if i % 3 else good + "query_alias SELECT nosuch\n")
            assert t.update() == bool(i % 3)
            assert t.lookup("alias", "a") == ("found", "one")
            assert t.fetch("source") == ("found", "192.0.2.1")
        status = open(f"/proc/{t.child.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    before = reloaded(100)
    assert reloaded(400) - before < 512, "KB"


def test_the_page_cache_shows_what_is_written(start, mail):
    t = start("table-sqlite", mail.conf)
    for i in range(20):
        mail.sql(f"UPDATE kv SET v = 'v{i}' WHERE k = 'a'")
        assert t.lookup("alias", "a") == ("found", f"v{i}")


def test_a_cached_answer_ends_with_an_update(start, mail):
    mail.configure(QUERIES + "cache_ttl 1h\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    assert t.lookup("alias", "new") == ("not-found", None)
    mail.sql("UPDATE kv SET v = 'two' WHERE k = 'a'; INSERT INTO kv VALUES ('new', 'n')")
    assert t.lookup("alias", "a") == ("found", "one")
    assert t.lookup("alias", "new") == ("not-found", None)
    assert t.update()
    assert t.lookup("alias", "a") == ("found", "two")
    assert t.lookup("alias", "new") == ("found", "n")


def test_a_cached_answer_ends_by_itself_and_with_the_file(start, mail, tmp_path):
    mail.configure(QUERIES + "cache_ttl 200ms\ncheck_interval 50ms\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    mail.sql("UPDATE kv SET v = 'two' WHERE k = 'a'")
    assert t.lookup("alias", "a") == ("found", "one")
    wait_until(lambda: t.lookup("alias", "a") == ("found", "two"), "the end of cache_ttl", 2)
    mail.configure(QUERIES + "cache_ttl 1h\ncheck_interval 50ms\n")
    assert t.update()
    assert t.lookup("alias", "a") == ("found", "two")
    (tmp_path / "other").mkdir()
    os.rename(Mail(tmp_path / "other").path, mail.path)
    wait_until(lambda: t.lookup("alias", "a") == ("found", "one"), "the new file", 2)


def test_errors_and_credentials_are_not_cached(start, mail):
    mail.configure(QUERIES + "cache_ttl 1h\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$h")
    assert t.lookup("credentials", "new") == ("not-found", None)
    assert t.lookup("alias", "null")[0] == "error"
    mail.sql("UPDATE users SET hash = '$6$changed' WHERE login = 'bob'; UPDATE kv SET v = 'mended' WHERE k = 'null';"
             "INSERT INTO users (login, hash) VALUES ('new', '$6$new')")
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$changed")
    assert t.lookup("credentials", "new") == ("found", "new:$6$new")
    assert t.lookup("alias", "null") == ("found", "mended")


def test_a_query_over_several_lines(start, mail):
    mail.configure("query_alias SELECT v \\\n  FROM kv \\\n  WHERE k = ?\n# comment \\\nquery_domain SELECT 1\n")
    t = start("table-sqlite", mail.conf)
    assert t.lookup("alias", "a") == ("found", "one")
    assert t.check("domain", "x") == "found"


def test_hashes_are_not_logged(mail):
    mail.configure(QUERIES + "debug yes\n")
    with Table(SQLITE, str(mail.conf)) as t:
        t.lookup("credentials", "bob")
        mail.sql("INSERT INTO users VALUES ('ssha', '{SSHA}sEcReT', 1, 1, '/')")
        assert t.lookup("credentials", "ssha")[0] == "error"
        t.end()
        said = t.said()
    assert 'lookup credentials "bob": found' in said
    assert "$6$h" not in said and "sEcReT" not in said


def test_a_thousand_in_flight(start, mail):
    t = start("table-sqlite", mail.conf)
    t.send(b"".join(t.sent("lookup", "alias", ["a", "none", "many"][i % 3], f"{i:08x}") for i in range(999)))
    expected = [("found", "one"), ("not-found", None), ("found", "1@x, 2@x")] * 333
    assert [t.answer() for _ in range(999)] == expected


def test_unknown_service_over_lines(mail):
    with Table(SQLITE, str(mail.conf)) as t:
        t.send(request("check", "string", "1", "x") + request("check", "nosuch", "2", "x"))
        assert t.answer() == ("error", "check of string is not configured")
        assert t.answer() == ("error", "unknown service")
        assert t.check("domain", "a") == "found"
