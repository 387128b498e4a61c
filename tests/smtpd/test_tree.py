"""tests/lib/tree: what a tree may and must not do to the machine."""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import SOURCE, TREES, wait_until

MAKE = SOURCE / "tests/lib/tree"
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a tree needs root")


def run(*arguments):
    return subprocess.run([MAKE, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def folder(tmp_path):
    """Where a tree could be that nobody has to make."""
    folder = tmp_path / "tree"
    for name in ("proc", "dev/shm", "guest"):
        (folder / name).mkdir(parents=True)
    (folder / ".tree").write_text("bookworm\n")
    return folder


@contextmanager
def mounted(*arguments):
    if subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode != 0:
        pytest.skip("no mounts are allowed here")
    yield
    subprocess.run(["umount", arguments[-1]], check=False, capture_output=True)


def test_remove_unmounts_first(folder):
    with mounted("-t", "proc", "proc", folder / "proc"), \
            mounted("-t", "tmpfs", "tmpfs", folder / "dev/shm"):
        assert run("--remove", folder).returncode == 0
        assert not folder.exists()
        assert str(folder) not in open("/proc/mounts").read()


def test_remove_leaves_what_somebody_else_mounted(folder, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").touch()
    with mounted("--bind", precious, folder / "guest"):
        done = run("--remove", folder)
        assert done.returncode != 0
        assert "unmount it first" in done.stderr
        assert (folder / "guest/letter").exists()
    assert (precious / "letter").exists()


def test_folders_that_are_no_trees_stay(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").touch()
    for arguments in (["--remove", tmp_path / "home"], ["bookworm", tmp_path / "home"]):
        done = run(*arguments)
        assert done.returncode != 0
        assert "no tree of mine" in done.stderr
    assert (tmp_path / "home/letter").exists()


def test_tree_of_another_suite_stays(folder):
    done = run("trixie", folder)
    assert done.returncode != 0
    assert "is of bookworm, not of trixie" in done.stderr


@pytest.mark.timeout(600)
def test_half_made_tree_is_made_anew():
    path = TREES / f"half-made-{os.getpid()}"       # /tmp may have no devices
    half = subprocess.Popen([MAKE, "bookworm", path], start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(Path(f"{path}.making/var/lib/dpkg").exists, "half a tree", timeout=120)
    os.killpg(half.pid, signal.SIGKILL)
    half.wait()
    done = run("bookworm", path)
    assert (done.returncode, done.stdout) == (0, f"{path}\n"), done.stderr
    assert subprocess.run(["chroot", path, "apt-get", "check"], check=False).returncode == 0
    assert run("--remove", path).returncode == 0
    assert list(TREES.glob(f"{path.name}*")) == []
