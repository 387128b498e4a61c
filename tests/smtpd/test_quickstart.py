"""contrib/quickstart: from a checkout to delivered mail."""

import os
import re
import socket
import subprocess

import pytest

from harness import SOURCE, TREES, free_port

FOLDER = TREES / "quickstart"


@pytest.fixture
def quickstart():
    if os.getuid() != 0:
        pytest.skip("a demonstration needs root")

    def run(folder=FOLDER, port=None):
        return subprocess.run(
            [SOURCE / "contrib/quickstart", folder], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
            env=os.environ | {"PORT": str(port or free_port())})
    return run


@pytest.mark.timeout(1200)
def test_quickstart(quickstart):
    for _ in range(2):
        done = quickstart()
        assert (done.returncode, done.stderr) == (0, "")
        for user in ("alice", "bob"):
            path, = re.findall(rf"delivered to {user}: (.*)", done.stdout)
            assert "Subject: A message of the demonstration" in open(path).read()
        assert re.search("an unknown user: 5", done.stdout)
        assert re.search("a wrong password: 535", done.stdout)
        assert re.search("a stranger who wants to relay: 5", done.stdout)
        assert os.access(FOLDER / "start", os.X_OK)


@pytest.mark.timeout(1200)
def test_port_in_use(quickstart):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = quickstart(port=taken.getsockname()[1])
    assert done.returncode == 1
    assert re.search("Failed: .*port.*\nRemedy: .*PORT=", done.stderr)


def test_folder_of_somebody_else(quickstart, tmp_path):
    (tmp_path / "letter").write_text("keep me\n")
    done = quickstart(folder=tmp_path)
    assert done.returncode == 1
    assert re.search("Failed: .*something else\\.\nRemedy: name another", done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
