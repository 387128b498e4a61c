"""Debian trees, one for each smtpd, with our programs built inside."""

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import SOURCE, TREES, WORK, wait_until

BUILD_PACKAGES = "gcc libc6-dev make pkgconf libevent-dev uthash-dev libsqlite3-dev".split()
PACKAGES = ["opensmtpd", "openssl", *BUILD_PACKAGES]
# The machine's names and resolvers have no say in what is tried here.
NAMES = {
    "etc/hosts": "127.0.0.1 localhost\n127.0.0.2 host2.example.test\n127.0.0.3 host3.example.test\n",
    "etc/mailname": "mail.example.test\n",
    "etc/resolv.conf": "nameserver 127.0.0.1\n",
}

BUILD = """
set -e
rm -rf /build
mkdir /build
cd /build
/source/configure -q --enable-werror --prefix=/usr --sysconfdir=/etc \
    --with-smtpd-libexecdir=/usr/libexec/opensmtpd
make -s -j2
make -s install
"""
PRELOAD = "/usr/local/lib/openssl3.so"
BUILD_PRELOAD = f"gcc -shared -fPIC -Wl,-z,lazy -o {PRELOAD} /source/tests/smtpd/openssl3.c"


@dataclass(frozen=True)
class Version:
    smtpd: str
    suite: str
    preload: str = ""       # see openssl3.c


VERSIONS = [
    Version("6.8.0p2", "bookworm", PRELOAD),
    Version("7.6.0p1", "trixie"),
    Version("7.9.0p0", "forky"),
]


def run(*command, timeout=600):
    """Its output; an error with that output when it fails."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-6000:]}"
    return done.stdout


class Tree:
    def __init__(self, version):
        self.version = version
        self.path = TREES / version.suite

    def prepare(self):
        """Makes it, with programs of the sources as they are now."""
        # smtpd does not start without certificates; Debian only recommends them
        run(SOURCE / "tests/lib/tree", self.version.suite, self.path,
            *PACKAGES, "ca-certificates", timeout=1800)
        self.lock = os.open(f"{self.path}.tests", os.O_CREAT | os.O_RDWR)
        wait_until(self.mine, f"the end of another test run in {self.path}", timeout=900)
        self.check_version()
        for name, text in NAMES.items():
            (self.path / name).write_text(text)
        self.build()

    def mine(self):
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def check_version(self):
        found = self.run("dpkg-query", "-Wf", "${source:Upstream-Version}", "opensmtpd")
        assert found == self.version.smtpd, f"{self.version.suite} has smtpd {found} now"

    def build(self):
        source = WORK / "build/source"
        state = run(SOURCE / "tests/lib/source", source).split()[-1]
        built = self.path / "build/.state"
        if built.exists() and built.read_text() == state:
            return
        run("rm", "-rf", "--one-file-system", self.path / "source")
        run("cp", "-a", source, self.path / "source")
        self.run("sh", "-c", BUILD)
        if self.version.preload:
            self.run("sh", "-c", BUILD_PRELOAD)
        built.write_text(state)

    def run(self, *command, timeout=300):
        return run("chroot", self.path, *command, timeout=timeout)

    def inside(self, path):
        """The path of a file of the tree as the machine sees it."""
        return self.path / Path(path).relative_to("/")


TREES_OF_THIS_RUN = {}


def prepared(version):
    """The version's tree, made once in a run, or again what kept it from that."""
    if version not in TREES_OF_THIS_RUN:
        TREES_OF_THIS_RUN[version] = tree = Tree(version)
        try:
            tree.prepare()
        except (AssertionError, OSError, subprocess.SubprocessError) as failure:
            TREES_OF_THIS_RUN[version] = failure
    tree = TREES_OF_THIS_RUN[version]
    if isinstance(tree, Exception):
        raise tree
    return tree
