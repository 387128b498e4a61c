"""What people type: -n, -nn, -d, -V, and mistakes."""

import os
import subprocess

import pytest

from harness import SOURCE, let_others_in, program

TABLES = ["sqlite", "passwd", "stub"]


def run(name, *args, status=0, **kwargs):
    done = subprocess.run([program(f"table-{name}"), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=10, **kwargs)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def args(tmp_path):
    """A right argument for each table."""
    (tmp_path / "passwd").write_text("bob:$6$b\n")
    subprocess.run(["sqlite3", tmp_path / "db", "CREATE TABLE a (k, v)"], check=True)
    (tmp_path / "conf").write_text(f"dbpath {tmp_path}/db\nquery_alias SELECT v FROM a WHERE k = ?\n")
    return {"sqlite": tmp_path / "conf", "passwd": tmp_path / "passwd", "stub": tmp_path / "passwd"}


@pytest.mark.parametrize("name", TABLES)
def test_version(name):
    release = (SOURCE / f"extras/tables/table-{name}/RELEASE").read_text()
    assert run(name, "-V") == (release, "")


@pytest.mark.parametrize("name", TABLES)
def test_check(name, args):
    assert run(name, "-n", args[name]) == (f"{args[name]}: configuration OK\n", "")


@pytest.mark.parametrize("name", ["sqlite", "passwd"])
def test_check_of_what_is_not_there(name, tmp_path):
    out, err = run(name, "-n", tmp_path / "none", status=1)
    assert out == "" and "No such file or directory" in err and len(err.splitlines()) == 1


UNREADABLE = [(b"\0\1\2\n", "sqlite", ":1: a NUL byte"), (b"", "sqlite", "dbpath is missing"),
              (b"no colon\n", "passwd", "1 lines are not as they should be")]


@pytest.mark.parametrize("data, name, said", UNREADABLE, ids=[u[2] for u in UNREADABLE])
def test_check_of_what_is_no_configuration(tmp_path, data, name, said):
    (tmp_path / "file").write_bytes(data)
    out, err = run(name, "-n", tmp_path / "file", status=1)
    assert out == "" and said in err


@pytest.mark.parametrize("name", ["sqlite", "passwd"])
@pytest.mark.parametrize("options", [(), ("-n",), ("-nn",), ("-d",)], ids=str)
def test_a_folder_is_no_file(name, options, tmp_path):
    out, err = run(name, *options, tmp_path, status=1)
    assert out == "" and "Is a directory" in err and len(err.splitlines()) == 1


def test_the_stub_refuses_what_it_cant_read(tmp_path):
    out, err = run("stub", "-n", "", status=1)
    assert out == "" and "could not read its data" in err


@pytest.mark.parametrize("name", ["sqlite", "passwd"])
@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_may_not_be_read(name, tmp_path, args):
    let_others_in(tmp_path)
    args[name].chmod(0)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", program(f"table-{name}"), args[name]],
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=10)
    assert done.returncode == 1 and "Permission denied" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_in_force_can_be_read_again(tmp_path, args):
    out, _ = run("sqlite", "-nn", args["sqlite"])
    assert "timeout 5s\n" in out and "busy_timeout 2s\n" in out and "# query_domain\n" in out
    assert out.endswith("# services: alias\n")
    again = tmp_path / "again"
    again.write_text(out)
    assert run("sqlite", "-nn", again)[0] == out


SERVED = {"sqlite": "alias", "passwd": "credentials userinfo mailaddr string", "stub": "alias domain source"}


@pytest.mark.parametrize("name", TABLES)
def test_the_services_in_force(name, args):
    out, err = run(name, "-nn", args[name])
    assert err == "" and out.splitlines()[-1] == f"# services: {SERVED[name]}"
    assert (len(out.splitlines()) == 1) == (name != "sqlite"), "directives where there are some"
    assert run(name, "-n", "-n", args[name])[0] == out


def test_each_directive_is_printed_once(args):
    names = [line.removeprefix("# ").split()[0] for line in run("sqlite", "-nn", args["sqlite"])[0].splitlines()[:-1]]
    assert len(names) == len(set(names))
    assert {"dbpath", "query_alias", "query_auth", "fetch_source", "debug", "cache_ttl"} <= set(names)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("args", [(), ("a", "b"), ("-x", "a"), ("-n",)], ids=str)
def test_wrong_arguments(name, args):
    out, err = run(name, *args, status=1)
    assert out == "" and f"usage: table-{name}" in err
    if not args:
        assert f"in smtpd.conf: table NAME {name}:/path" in err


def test_a_pipe_is_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    _, err = run("sqlite", "-n", tmp_path / "fifo", status=1)
    assert "Invalid argument" in err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors(args, closed):
    """None of the table's own takes their place: it ends as on end of file, or serves."""
    done = subprocess.run(["sh", "-c", f'"$0" "$1" {closed}', program("table-sqlite"), args["sqlite"]],
                          input=b"config|ready\n", capture_output=True, timeout=10)
    assert done.returncode == 0
    assert b"Epoll" not in done.stderr
    assert ("<" in closed or ">&- " in closed or closed == ">&-") or done.stdout.endswith(b"register|ready\n")


def test_an_output_that_fails(args):
    for options in (["-nn"], []):
        with open("/dev/full", "w") as full:
            done = subprocess.run([program("table-sqlite"), *options, args["sqlite"]], input=b"config|ready\n",
                                  stdout=full, stderr=subprocess.PIPE, timeout=10)
        assert done.returncode == 1 and b"No space left" in done.stderr


def test_debug(args):
    _, err = run("sqlite", "-d", args["sqlite"])
    assert err == "" or "table-sqlite" in err
    done = subprocess.run([program("table-passwd"), "-d", args["passwd"]], text=True, timeout=10,
                          input="config|ready\ntable|0.1|1.1|t|lookup|credentials|1|bob\n",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert 'table-passwd: lookup credentials "bob": found' in done.stderr
    assert "$6$b" not in done.stderr


def test_no_credentials_in_the_debug_log(tmp_path):
    """-d and `debug yes', good, bad and refused ones, and keys that hold a password."""
    subprocess.run(["sqlite3", tmp_path / "db", "CREATE TABLE u (l, h); INSERT INTO u VALUES "
                    "('bob', '$6$hAsH1'), ('two', 'hAsH2'), ('two', 'hAsH3'), ('ssha', '{SSHA}hAsH4'), "
                    "('broken', 'hAsH5' || char(10) || 'x')"], check=True)
    (tmp_path / "conf").write_text(f"dbpath {tmp_path}/db\ndebug yes\n"
                                   "query_credentials SELECT l, h FROM u WHERE l = ?\n"
                                   "query_auth SELECT 1 FROM u WHERE l = :login AND h = :password\n")
    asked = [("lookup|credentials", login) for login in ["bob", "two", "ssha", "broken", "none"]]
    asked += [("check|auth", key) for key in ["bob:pAsSwOrD", "eve:pAsSwOrD", ":pAsSwOrD", "a:b:pAsSwOrD"]]
    lines = [f"table|0.1|1.1|t|{what}|{i}|{key}\n" for i, (what, key) in enumerate(asked)]
    lines += ["table|0.1|1.1|t|check|nosuch|n|bob:pAsSwOrD\n", "table|0.1|1.1|t|lookup|auth|n|bob:pAsSwOrD\n",
              "table|0.1|1.1|t|check|auth|bob:pAsSwOrD\n", "table|0.9|1.1|t|check|auth|n|bob:pAsSwOrD\n"]
    done = subprocess.run([program("table-sqlite"), "-d", tmp_path / "conf"], text=True, timeout=10,
                          input="config|smtpd-version|7.9.0\nconfig|ready\n" + "".join(lines),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert "lookup-result|0|found|bob:$6$hAsH1" in done.stdout and done.stdout.count("-result|") >= 11
    assert 'lookup credentials "bob": found' in done.stderr and 'check auth "bob": ' in done.stderr
    assert "hAsH" not in done.stderr and "pAsSwOrD" not in done.stderr
