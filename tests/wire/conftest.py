"""The scripted backend (tests/fake) behind each test of a wire."""

import subprocess

import pytest

from harness import BUILD, FAKE
from raw import Raw


@pytest.fixture(scope="session", autouse=True)
def fake_is_built():
    subprocess.run(["make", "-s", "-C", BUILD / "tests", "fake/table-fake", "fake/table-classic"],
                   check=True, stdin=subprocess.DEVNULL, timeout=120)


@pytest.fixture
def conf(tmp_path):
    """A configuration file of the fake's, and what writes it."""
    path = tmp_path / "fake.conf"

    def write(text="timeout 5\n"):
        path.write_text(text)
        return str(path)

    write.path = path
    write()
    return write


@pytest.fixture
def start(conf):
    """Starts the fake with a configuration; ends it after the test."""
    running = []

    def begin(text="timeout 5\n"):
        raw = Raw(FAKE, conf(text))
        running.append(raw)
        return raw

    yield begin
    for raw in running:
        raw.__exit__()
