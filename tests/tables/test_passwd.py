"""table-passwd on real files."""

import os
import re
import subprocess
import time

import pytest

from harness import program, wait_until
from raw import Table

PASSWD = program("table-passwd")
USERS = """\
# comment:x:1:1::/:
alice:$6$salt#no comment$hash:5000:5001:Alice # neither:/mail/alice:/bin/sh

bob:$6$bob
Carol:{SHA512-CRYPT}$6$carol:5002:5002::/mail/carol::userdb_quota=1G:more
carol2:{BLF-CRYPT}$2y$05$c:5003:5003::/mail/carol2:
large:x:4294967294:3000000000::/mail/large:
toolarge:x:4294967295:1::/mail/toolarge:
text:x:root:0::/root:
empty::5004:5004::/mail/empty:
plain:{PLAIN}secret:5005:5005::/mail/plain:
nohome:x:5006:5006:::
a+b@example.org:$6$plus:5007:5007::/mail/plus:
"""


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "passwd"
    path.write_text(USERS)
    return path


def under_asan():
    return "asan" in subprocess.run(["ldd", PASSWD], stdout=subprocess.PIPE, text=True).stdout


CREDENTIALS = [
    ("alice", "alice:$6$salt#no comment$hash"), ("bob", "bob:$6$bob"), ("carol", "Carol:$6$carol"),
    ("carol2", "carol2:$2y$05$c"), ("a+b@example.org", "a+b@example.org:$6$plus"), ("nobody", None),
    ("# comment", None), ("", None), ("alic", None), ("alicee", None),
]


@pytest.mark.parametrize("login, value", CREDENTIALS, ids=[c[0] for c in CREDENTIALS])
def test_credentials(start, users, login, value):
    assert start("table-passwd", users).lookup("credentials", login) == \
        ("not-found" if value is None else "found", value)


@pytest.mark.parametrize("login", ["empty", "plain"])
def test_credentials_that_cant_be(start, users, login):
    assert start("table-passwd", users).lookup("credentials", login)[0] == "error"


USERINFO = [("alice", "5000:5001:/mail/alice"), ("carol", "5002:5002:/mail/carol"), ("empty", "5004:5004:/mail/empty"),
            ("large", "4294967294:3000000000:/mail/large"), ("nobody", None)]


@pytest.mark.parametrize("login, value", USERINFO, ids=[u[0] for u in USERINFO])
def test_userinfo(start, users, login, value):
    assert start("table-passwd", users).lookup("userinfo", login) == \
        ("not-found" if value is None else "found", value)


@pytest.mark.parametrize("login", ["bob", "toolarge", "text", "nohome"])
def test_userinfo_that_cant_be(start, users, login):
    assert start("table-passwd", users).lookup("userinfo", login)[0] == "error"


@pytest.mark.parametrize("service", ["string", "mailaddr", "credentials", "userinfo"])
def test_check(start, users, service):
    t = start("table-passwd", users)
    assert t.check(service, "bob") == "found"
    assert t.check(service, "carol") == "found"
    assert t.check(service, "a+b@example.org") == "found"
    assert t.check(service, "nobody") == "not-found"


def test_what_it_does_not_serve(start, users):
    t = start("table-passwd", users)
    assert t.wire == "imsg" or set(t.services) == {"credentials", "userinfo", "string", "mailaddr"}
    assert t.lookup("alias", "bob")[0] == "error"
    assert t.fetch("source")[0] == "error"


def test_odd_lines_are_said_and_the_rest_is_served(start, users):
    users.write_bytes(b"bob:$6$b\nno colon\n:x:1:1::/:\nnul\0nul:x\n" + b"dave:$6$d\n")
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$b")
    assert t.lookup("credentials", "dave") == ("found", "dave:$6$d")
    t.end()
    said = t.said()
    assert re.search(r"passwd:2: a line with no `:' in it", said)
    assert re.search(r"passwd:3: a line with no name", said)
    assert re.search(r"passwd:4: a line with a NUL", said)


def test_many_odd_lines_are_no_flood(start, users):
    users.write_text("odd\n" * 5000 + "bob:$6$b\n")
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob")[0] == "found"
    t.end()
    said = t.said()
    assert said.count("a line with") == 10 and "4990 more such lines" in said


def test_upper_and_lower_case(start, users):
    users.write_text("Bob:$6$upper\nbob:$6$lower\nEVE@Example.ORG:$6$eve\n")
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$lower")
    assert t.lookup("credentials", "Bob") == ("found", "Bob:$6$upper")
    assert t.lookup("credentials", "BOB")[0] == "found"
    assert t.lookup("credentials", "eve@example.org") == ("found", "EVE@Example.ORG:$6$eve")


def test_the_later_of_two(start, users):
    users.write_text("bob:$6$first\nbob:$6$second\n")
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$second")
    t.end()
    assert "passwd:2: a line with its name a second time" in t.said()


@pytest.mark.parametrize("text", [b"bob:$6$b\r\neve:$6$e\r\n", b"bob:$6$b\neve:$6$e", b"\n\n  \nbob:$6$b\n\neve:$6$e\n\n"],
                         ids=["CRLF", "no newline at the end", "blank lines"])
def test_line_ends(start, users, text):
    users.write_bytes(text)
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$b")
    assert t.lookup("credentials", "eve") == ("found", "eve:$6$e")
    t.end()
    assert t.said() == ""


def test_no_carriage_return_in_a_value(start, users):
    users.write_bytes(b"bob:$6$b\r\neve:$6$e:1:2::/h\r\nann:$6$a:1:2::/h:/bin/sh\r\n")
    t = start("table-passwd", users)
    assert t.lookup("userinfo", "eve") == ("found", "1:2:/h")
    assert t.lookup("userinfo", "ann") == ("found", "1:2:/h")
    assert t.lookup("credentials", "ann") == ("found", "ann:$6$a")


def test_odd_names(start, users):
    long = 1023 * "n"
    users.write_text(f"{long}:$6$long\nj\u00fcrgen:$6$utf8\nwith blank:$6$blank\n*:$6$star\na%b:$6$percent\n")
    t = start("table-passwd", users)
    for name, value in [(long, "long"), ("j\u00fcrgen", "utf8"), ("with blank", "blank"), ("*", "star"),
                        ("a%b", "percent")]:
        assert t.lookup("credentials", name) == ("found", f"{name}:$6${value}")
    for name in [long[1:], "j\u00dcrgen", "with", "anything", "axb"]:
        assert t.lookup("credentials", name) == ("not-found", None)


def test_long_lines(start, users):
    users.write_text(f"bob:{2043 * 'x'}\neve:{2044 * 'x'}\n")
    t = start("table-passwd", users)
    assert t.lookup("credentials", "bob") == ("found", "bob:" + 2043 * "x")
    assert t.lookup("credentials", "eve")[0] == "error"


def test_an_empty_file(start, users):
    users.write_text("")
    assert start("table-passwd", users).lookup("credentials", "bob") == ("not-found", None)


def refused(path):
    done = subprocess.run([PASSWD, path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=10)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    return done.stderr


def test_files_that_cant_be_read(tmp_path):
    assert f"{tmp_path}/none: No such file or directory" in refused(tmp_path / "none")
    assert "Is a directory" in refused(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    assert "Invalid argument" in refused(tmp_path / "fifo")


def test_changes_are_noticed(start, users):
    t = start("table-passwd", users)
    with users.open("a") as file:
        file.write("new:$6$new\n")
    wait_until(lambda: t.lookup("credentials", "new") == ("found", "new:$6$new"), "what was appended")
    other = users.with_name("other")
    other.write_text("renamed:$6$r\n")
    other.rename(users)
    wait_until(lambda: t.lookup("credentials", "renamed")[0] == "found", "what was renamed")
    assert t.lookup("credentials", "new") == ("not-found", None)
    users.write_text("changed:$6$r\n")
    wait_until(lambda: t.lookup("credentials", "changed")[0] == "found", "the same size")


def test_update_is_at_once(start, users):
    t = start("table-passwd", users)
    for i in range(30):
        users.write_text(f"user{i:02}:$6$x\n")
        assert t.update()
        assert t.lookup("credentials", f"user{i:02}")[0] == "found"


def test_a_link_that_leads_elsewhere_is_noticed(start, users):
    first, second, link = (users.with_name(name) for name in ("first", "second", "link"))
    first.write_text("bob:$6$1\n")
    second.write_text("bob:$6$2\n")
    link.symlink_to(first)
    t = start("table-passwd", link)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$1")
    link.unlink()
    link.symlink_to(second)
    wait_until(lambda: t.lookup("credentials", "bob") == ("found", "bob:$6$2"), "the other file", 5)


def test_hangup_is_at_once(start, users):
    t = start("table-passwd", users)
    users.write_text("new:$6$n\n")
    t.hangup()
    wait_until(lambda: t.lookup("credentials", "new")[0] == "found", "SIGHUP", 0.9)


def test_a_file_that_is_gone_is_said_once(start, users, tmp_path):
    with (tmp_path / "err").open("w") as err:
        t = start("table-passwd", users, stderr=err)
    users.unlink()
    wait_until(lambda: "No such file" in (tmp_path / "err").read_text(), "the word of it", 5)
    time.sleep(2.2)
    assert (tmp_path / "err").read_text().count("No such file") == 1
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$bob")
    assert t.lookup("credentials", "nobody") == ("not-found", None)


def test_updates_leak_nothing(start, users):
    """Descriptors and threads; 200 in a row, and 200 at once."""
    t = start("table-passwd", users)

    def held():
        return len(os.listdir(f"/proc/{t.child.pid}/fd")), len(os.listdir(f"/proc/{t.child.pid}/task"))

    assert t.update()
    wait_until(lambda: held()[1] == 1, "the helper's end")
    before, size = held(), status(t, "VmSize")
    for _ in range(200):
        assert t.update()
    t.send(b"".join(t.sent("update", ident=f"{i:08x}") for i in range(200)))
    got = [t.answer()[0] for _ in range(200)]
    assert set(got) <= {"ok", "found"} and t.silent(0.1)
    wait_until(lambda: held() == before, "as before")
    assert under_asan() or status(t, "VmSize") - size < 300e6, "stacks of threads that nobody joined"
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$bob")


def test_requests_around_an_update(start, users):
    """Each is answered once, by what was there or by what is."""
    t = start("table-passwd", users)
    t.send(b"".join(t.sent("lookup", "credentials", "bob", f"{i:08x}") for i in range(500)))
    users.write_text("bob:$6$new\n")
    t.send(t.sent("update", ident="u"))
    t.send(b"".join(t.sent("lookup", "credentials", "bob", f"{i:08x}") for i in range(500, 1000)))
    if t.wire == "imsg":
        said = [t.answer() for _ in range(1001)]
        assert said.pop(500) == ("found", None)
        assert set(said) <= {("found", "bob:$6$bob"), ("found", "bob:$6$new")}
    else:
        lines = t.lines(1001)
        lines.remove("update-result|u|ok")
        assert sorted(line.split("|")[1] for line in lines) == [f"{i:08x}" for i in range(1000)]
        assert {line.split("|", 3)[3] for line in lines} <= {"bob:$6$bob", "bob:$6$new"}
    assert t.silent(0.1)
    assert t.lookup("credentials", "bob") == ("found", "bob:$6$new")


def test_a_file_that_is_being_written_is_left_alone(start, users):
    """Nobody is unknown for a moment because a file is written in place."""
    t = start("table-passwd", users)
    text = users.read_text()
    began = time.monotonic()
    while time.monotonic() - began < 3.5:
        with users.open("w") as file:
            for line in text.splitlines(keepends=True):
                file.write(line)
                file.flush()
                time.sleep(0.02)
                assert t.lookup("credentials", "bob")[0] == "found"


def test_a_file_that_was_emptied_or_removed(start, users):
    t = start("table-passwd", users)
    users.write_text("")
    assert not t.update()
    time.sleep(2.5)
    assert t.lookup("credentials", "bob")[0] == "found"
    users.unlink()
    assert not t.update()
    time.sleep(1.5)
    assert t.lookup("credentials", "bob")[0] == "found"
    users.write_text("eve:$6$e\n")
    wait_until(lambda: t.lookup("credentials", "eve")[0] == "found", "the file's return")
    t.end()
    said = t.said()
    assert "no login is left in it" in said and "No such file or directory" in said
    assert len(said.splitlines()) < 8, "said again and again"


def test_a_file_of_garbage_is_said_once(start, users):
    t = start("table-passwd", users)
    time.sleep(0.1)
    users.write_text("garbage\n" * 100)
    time.sleep(4.5)
    assert t.lookup("credentials", "bob")[0] == "found"
    assert not t.update()
    t.end()
    assert len(t.said().splitlines()) <= 3


def test_a_start_while_the_file_is_being_written(start, users):
    """That is no wrong configuration, for which smtpd would not start."""
    with users.open("a") as file:
        file.write(f"# {200 * 'x'}\n" * 200000)     # long enough to be caught in the middle
    writer = subprocess.Popen(["sh", "-c", 'while :; do echo "x:y"; done >>"$1"', "sh", users])
    try:
        for _ in range(3):
            t = start("table-passwd", users)
            assert t.lookup("credentials", "alice")[0] == "found"
            assert t.lookup("credentials", "nobody")[0] == "error", "half a file says who is unknown"
    finally:
        writer.kill()
        writer.wait()
    wait_until(lambda: t.lookup("credentials", "nobody")[0] == "not-found", "the whole file")


def big(path, users=1000000):
    with path.open("w") as file:
        for i in range(users):
            file.write(f"user{i:07d}@example.org:$6$saltsalt$hashhashhashhashhashhashhashhash:{i}:1000:User {i}:"
                       f"/var/mail/user{i:07d}:/bin/sh\n")


def status(t, name):
    return int(re.search(rf"{name}:\s+(\d+)", open(f"/proc/{t.child.pid}/status").read()).group(1)) * 1024


def test_a_million_users(tmp_path):
    """Their memory, and that nobody waits while they are read again."""
    path = tmp_path / "passwd"
    big(path)
    size = path.stat().st_size
    assert size >= 120e6
    began = time.monotonic()
    with Table(PASSWD, str(path)) as t:
        print(f"\nstarted with {size / 1e6:.0f} MB in {time.monotonic() - began:.3f} s")
        assert t.lookup("userinfo", "user0999999@example.org") == \
            ("found", "999999:1000:/var/mail/user0999999")
        if not under_asan():
            print(f"memory: {status(t, 'VmHWM') / 1e6:.1f} MB")
            assert status(t, "VmHWM") <= 150e6
        with path.open("a") as file:
            file.write("last:$6$l\n")
        t.send(t.sent("update", ident="u"))
        longest, answers, line, sent = 0, 0, "", time.monotonic()
        while not line.startswith("update-result"):
            began = time.monotonic()
            t.send(t.sent("lookup", "credentials", "last"))
            if (line := t.line()).startswith("update-result"):
                t.line()
            longest = max(longest, time.monotonic() - began)
            answers += 1
        print(f"{answers} answers while it was read again, the longest after {longest * 1000:.1f} ms")
        assert line == "update-result|u|ok"
        assert answers > 20
        if not under_asan():
            assert longest < max(0.15, (time.monotonic() - sent) / 3), "the reload held requests up"
        assert t.lookup("credentials", "last")[0] == "found"
        if not under_asan():
            wait_until(lambda: status(t, "VmRSS") <= 150e6, "the end of what was there before")
    path.unlink()
