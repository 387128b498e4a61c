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
