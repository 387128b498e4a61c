"""What every test needs: where things are, free ports, waiting."""

import os
import socket
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
WORK = Path("/var/tmp/opensmtpd-backends")
BUILD = Path(os.environ.get("TABLES_BUILD_DIR", WORK / "build/gcc"))
FAKE = BUILD / "tests/fake/table-fake"      # the scripted backend
CLASSIC = BUILD / "tests/fake/table-classic"
TREES = Path(os.environ.get("TABLES_TREES", WORK / "trees"))


def program(name):
    """The path of table-NAME or table-query in the build folder."""
    kind = "tools" if name == "table-query" else "tables"
    return BUILD / "extras" / kind / name / name


def free_port(host="127.0.0.1"):
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def wait_until(condition, what, timeout=15):
    """What condition() returns as soon as that is true; fails otherwise."""
    end = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.02)
    return result


def let_others_in(folder):
    """A folder of a test, for programs that run as another user; nothing above pytest's own."""
    while folder.owner() == "root" and "pytest" in str(folder):
        folder.chmod(0o755)
        folder = folder.parent
