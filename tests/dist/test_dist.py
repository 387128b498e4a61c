"""What packagers do: choose backends, add one, release one alone, install."""

import os
import re
import shutil
import subprocess

import pytest

from harness import BUILD, SOURCE, TREES, WORK

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="trees need root")
BUILD_PACKAGES = "gcc libc6-dev make pkgconf libevent-dev uthash-dev".split()
ALONE = {"passwd": [], "stub": [], "sqlite": ["libsqlite3-dev"]}

FOO = {
    "RELEASE": "table-foo 0.1\n",
    "configure.m4": "TABLE_BACKEND([foo])\n",
    "ChangeLog": "table-foo 0.1\n\nChanges:\n- First release.\n",
    "Makefile.am": """\
AM_CPPFLAGS = -I$(top_srcdir)/api -DTABLE_VERSION=\\"$(TABLE_FOO_VERSION)\\"
AM_CFLAGS = $(WARN_CFLAGS) $(HARDEN_CFLAGS)
AM_LDFLAGS = $(HARDEN_LDFLAGS)
smtpdlibexec_PROGRAMS = table-foo
table_foo_SOURCES = table_foo.c
table_foo_LDADD = $(top_builddir)/api/libtableapi.a $(EVENT_LIBS) $(PTHREAD_LIBS)
EXTRA_DIST = RELEASE ChangeLog configure.m4
""",
}


def run(*command, ok=True, timeout=400, **kwargs):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, **kwargs)
    assert (done.returncode == 0) == ok, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="session")
def source():
    """A bootstrapped copy of the sources; never written to."""
    folder = WORK / "build/source"
    run(SOURCE / "tests/lib/source", folder)
    return folder


@pytest.fixture
def copy(source, tmp_path):
    """One of its own, to be changed."""
    return shutil.copytree(source, tmp_path / "source", symlinks=True)


def configure(source, folder, *options, ok=True, **env):
    folder.mkdir(exist_ok=True)
    return run(source / "configure", *options, ok=ok, cwd=folder, env={**os.environ, **env})


def summary(output, table):
    return re.search(rf"{table}\t(.*)", output).group(1)


def no_sqlite(tmp_path):
    """A pkg-config that finds all but SQLite."""
    wrapper = tmp_path / "pkg-config"
    wrapper.write_text('#!/bin/sh\ncase "$*" in *sqlite3*) exit 1;; esac\nexec pkg-config "$@"\n')
    wrapper.chmod(0o755)
    return {"PKG_CONFIG": str(wrapper)}


def test_a_missing_library_stops_what_was_asked_for(source, tmp_path):
    said = configure(source, tmp_path / "b", "--with-table-sqlite", ok=False, **no_sqlite(tmp_path))
    assert "table-sqlite needs sqlite3" in said and "apt-get install libsqlite3-dev" in said


def test_a_missing_library_leaves_a_backend_out(source, tmp_path):
    said = configure(source, tmp_path / "b", **no_sqlite(tmp_path))
    assert summary(said, "table-sqlite").startswith("no, sqlite3")
    assert "libsqlite3-dev" in summary(said, "table-sqlite")
    assert summary(said, "table-passwd").startswith("yes")


def test_backends_are_left_out_and_chosen(source, tmp_path):
    said = configure(source, tmp_path / "b", "--without-table-passwd", "--with-table-sqlite",
                     "--with-smtpd-libexecdir=/opt/smtpd")
    assert summary(said, "table-passwd") == "no, left out by --without-table-passwd"
    assert summary(said, "table-sqlite") == "yes, asked for"
    assert re.search(r"table programs go to +/opt/smtpd", said)
    run("make", "-j2", cwd=tmp_path / "b")
    dest = tmp_path / "dest"
    run("make", "install", f"DESTDIR={dest}", cwd=tmp_path / "b")
    assert sorted(os.listdir(dest / "opt/smtpd")) == ["table-sqlite", "table-stub"]
    assert (dest / "usr/local/bin/table-query").exists()


def test_a_backend_is_a_folder(copy, tmp_path):
    folder = copy / "extras/tables/table-foo"
    folder.mkdir()
    for name, text in FOO.items():
        (folder / name).write_text(text)
    shutil.copy(copy / "extras/tables/table-stub/table_stub.c", folder / "table_foo.c")
    shutil.rmtree(copy / "extras/tables/table-sqlite")
    run(copy / "bootstrap")
    said = configure(copy, tmp_path / "b", "--enable-werror", "--with-table-foo")
    assert summary(said, "table-foo") == "yes, asked for"
    assert "table-sqlite" not in said
    run("make", "-j2", cwd=tmp_path / "b")
    program = tmp_path / "b/extras/tables/table-foo/table-foo"
    assert run(program, "-V").endswith(" 0.1\n")
    assert not (tmp_path / "b/extras/tables/table-sqlite").exists()
    run("make", "dist-table-foo", cwd=tmp_path / "b")
    assert (tmp_path / "b/table-foo-0.1.tar.gz").exists()


ALONE_SCRIPT = """
set -e
rm -rf /alone; mkdir /alone; cd /alone
tar -xzf /{tar}.tar.gz
cd {tar}
./configure --enable-werror
make -j2
make check
make install DESTDIR=/alone/dest
"""


@needs_root
@pytest.mark.parametrize("name", ALONE)
@pytest.mark.timeout(900)
def test_a_backend_released_alone(source, tmp_path, name):
    """Where nothing but its own library is, and no autotools, no cmocka."""
    configure(source, tmp_path / "b")
    run("make", f"dist-table-{name}", cwd=tmp_path / "b")
    tar = f"table-{name}-1.0.0"
    tree = TREES / ("alone-" + "-".join(ALONE[name]) if ALONE[name] else "alone")
    run(SOURCE / "tests/lib/tree", "bookworm", tree, *BUILD_PACKAGES, *ALONE[name], timeout=900)
    shutil.copy(tmp_path / "b" / f"{tar}.tar.gz", tree)
    said = run("chroot", tree, "sh", "-c", ALONE_SCRIPT.format(tar=tar))
    assert re.search(r"^PASS: tests/check.sh", said, re.M)
    programs = list((tree / "alone/dest").rglob("table-*"))
    assert [p.name for p in programs if p.is_file() and os.access(p, os.X_OK)] == [f"table-{name}"]
    if name != "sqlite":
        assert not (tree / "usr/include/sqlite3.h").exists()


@pytest.mark.parametrize("program", ["tables/table-sqlite/table-sqlite", "tables/table-passwd/table-passwd",
                                     "tables/table-stub/table-stub", "tools/table-query/table-query"])
def test_programs_are_hardened(program):
    path = BUILD / "extras" / program
    assert "DYN (Position-Independent Executable" in run("readelf", "-h", path)
    dynamic = run("readelf", "-Wld", path)
    assert "GNU_RELRO" in dynamic and "BIND_NOW" in dynamic
    assert re.search(r"GNU_STACK.* RW  *0x", dynamic)
    symbols = run("readelf", "-W", "--dyn-syms", path)
    assert "__stack_chk_fail" in symbols and "_chk@GLIBC" in symbols.replace("__stack_chk", "")
