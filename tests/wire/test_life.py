"""What is true on both wires: deadlines, cancels, reloads, ends."""

import os
import re
import signal
import subprocess
import time

import pytest

from harness import FAKE, wait_until
from raw import GREETING, Raw, request


def ask(t, key, ident="1", op="lookup", service="alias"):
    t.send(request(op, service, ident, key))
    return t.line()


def test_the_deadline(start):
    t = start("timeout 200ms\n")
    t.greet()
    began = time.monotonic()
    assert ask(t, "never") == "lookup-result|1|error|no answer within 200 ms"
    assert 0.19 < time.monotonic() - began < 2
    # It was taken from the backend, too.
    assert ask(t, "count") == "lookup-result|1|found|0 wait"


def test_what_comes_late_is_dropped(start):
    t = start("timeout 200ms\n")
    t.greet()
    assert "no answer within" in ask(t, "late:400:x")
    assert t.silent(0.5)
    assert ask(t, "value:y", "2") == "lookup-result|2|found|y"


def test_a_late_row_in_time(start):
    t = start("timeout 2\n")
    t.greet()
    assert ask(t, "late:150:x") == "lookup-result|1|found|x"


def test_others_are_served_meanwhile(start):
    t = start("timeout 1\n")
    t.greet()
    t.send(request("lookup", "alias", "1", "never") + request("lookup", "alias", "2", "value:x"))
    assert t.line() == "lookup-result|2|found|x"
    assert t.line() == "lookup-result|1|error|no answer within 1000 ms"


def test_all_deadlines_of_a_thousand(start):
    t = start("timeout 300ms\n")
    t.greet()
    t.send(b"".join(request("lookup", "alias", f"{i:08x}", "never") for i in range(1000)))
    began = time.monotonic()
    assert len({line for line in t.lines(1000) if "|error|no answer" in line}) == 1000
    assert time.monotonic() - began < 3
    assert ask(t, "count") == "lookup-result|1|found|0 wait"


def test_update_reads_the_file_again(start, conf):
    t = start("sources 127.0.0.1\n")
    t.greet()
    assert ask(t, None, "1", "fetch", "source") == "fetch-result|1|found|127.0.0.1"
    conf("sources 127.0.0.9\n")
    assert ask(t, None, "2", "fetch", "source") == "fetch-result|2|found|127.0.0.1"
    t.send(request("update", None, "3"))
    assert t.line() == "update-result|3|ok"
    assert ask(t, None, "4", "fetch", "source") == "fetch-result|4|found|127.0.0.9"


@pytest.mark.parametrize("wrong, why", [
    ("sources 127.0.0.9\nbad 1\n", ":2: bad is bad on purpose"),
    ("sources 127.0.0.9\nnonsense\n", ":2: unknown directive `nonsense'"),
    ("services 0\n", "no service is configured"),
])
def test_a_wrong_configuration_changes_nothing(start, conf, wrong, why):
    t = start("sources 127.0.0.1\n")
    t.greet()
    conf(wrong)
    t.send(request("update", None, "1"))
    line = t.line()
    assert line.startswith("update-result|1|error|") and why in line
    assert ask(t, None, "2", "fetch", "source") == "fetch-result|2|found|127.0.0.1"
    t.hangup()
    assert ask(t, None, "3", "fetch", "source") == "fetch-result|3|found|127.0.0.1"
    os.unlink(conf.path)
    t.send(request("update", None, "4"))
    assert t.line().endswith("fake.conf: No such file or directory")


def test_hangup_reads_the_file_again(start, conf):
    t = start("sources 127.0.0.1\n")
    t.greet()
    conf("sources 127.0.0.9\n")
    t.hangup()
    wait_until(lambda: ask(t, None, "1", "fetch", "source").endswith("127.0.0.9"), "SIGHUP")


def test_requests_are_served_while_a_reload_takes_its_time(start, conf):
    t = start("open_ms 0\nsources 127.0.0.1\n")
    t.greet()
    conf("open_ms 600\nsources 127.0.0.2\n")
    t.send(request("update", None, "u"))
    began = time.monotonic()
    answers = 0
    while time.monotonic() - began < 0.4:
        assert ask(t, None, "1", "fetch", "source") == "fetch-result|1|found|127.0.0.1"
        answers += 1
    assert answers > 20
    assert t.line() == "update-result|u|ok"
    assert ask(t, None, "2", "fetch", "source") == "fetch-result|2|found|127.0.0.2"


def test_an_update_during_a_reload_waits_for_its_own(start, conf):
    """What was written before an update is in force when it is answered."""
    t = start("open_ms 0\nsources 127.0.0.1\n")
    t.greet()
    conf("open_ms 300\nsources 127.0.0.2\n")
    t.send(request("update", None, "1"))
    time.sleep(0.1)
    conf("open_ms 0\nsources 127.0.0.3\n")
    t.send(request("update", None, "2"))
    assert t.lines(2) == ["update-result|1|ok", "update-result|2|ok"]
    assert ask(t, None, "3", "fetch", "source") == "fetch-result|3|found|127.0.0.3"


def test_an_update_has_a_deadline_too(start, conf):
    t = start("timeout 200ms\n")
    t.greet()
    conf("open_ms 600\ntimeout 5\n")
    t.send(request("update", None, "1"))
    assert t.line() == "update-result|1|error|no answer within 200 ms"
    assert ask(t, "value:x", "2") == "lookup-result|2|found|x"
    # It goes on behind, and is in force in the end.
    wait_until(lambda: ask(t, "late:300:x", "3").endswith("|found|x"), "the reload")


def test_requests_in_flight_outlive_a_reload(start, conf):
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "late:400:old") + request("update", None, "2"))
    assert t.line() == "update-result|2|ok"
    assert t.line() == "lookup-result|1|found|old"


def test_hangup_storm(start):
    t = start()
    t.greet()
    for i in range(200):
        t.hangup()
        assert ask(t, f"value:{i}") == f"lookup-result|1|found|{i}"


def test_services_that_come_by_a_reload_are_said(start, conf):
    t = start("services 1\n")
    assert t.greet() == ["alias"]
    conf("services 3\n")
    t.send(request("update", None, "1"))
    assert t.line() == "update-result|1|ok"
    t.end()
    assert "only when it is started again" in t.said()


def test_rotation_with_expire_and_refresh(start, conf):
    t = start("fetch_source_refresh 2\n")
    t.greet()
    got = [ask(t, None, "1", "fetch", "source")[-1] for _ in range(7)]
    assert got == ["1", "2", "3", "1", "2", "3", "1"]
    # relayhost has a list of its own
    assert ask(t, None, "2", "fetch", "relayhost") == "fetch-result|2|found|127.0.0.1"


def test_a_bad_row_of_a_fetch_is_left_out(start):
    t = start("sources 127.0.0.1;nonsense;127.0.0.3\n")
    t.greet()
    assert [ask(t, None, "1", "fetch", "source")[-1] for _ in range(3)] == ["1", "3", "1"]
    t.end()
    assert "fetch source: a row is left out: the source is no IP address" in t.said()
    t = start("sources " + ";".join(1000 * ["nonsense"]) + ";127.0.0.1\n")
    t.greet()
    assert ask(t, None, "1", "fetch", "source") == "fetch-result|1|found|127.0.0.1"
    t.end()
    assert "1000 rows are left out" in t.said()
    t = start("sources nonsense\n")
    t.greet()
    assert ask(t, None, "1", "fetch", "source") == "fetch-result|1|error|no row can be used"


def test_a_fetch_without_end(start):
    t = start("sources " + ";".join(f"10.1.{i // 250}.{i % 250 + 1}" for i in range(1500)) + "\n")
    t.greet()
    assert ask(t, None, "1", "fetch", "source") == "fetch-result|1|found|10.1.0.1"
    t.end()
    assert "only the first 1000 values are used" in t.said()


def test_the_cache(start, conf):
    t = start("cache_ttl 300ms\n")
    t.greet()
    t.send(request("lookup", "alias", "1", "late:2000:x"))      # counts as one that waits
    assert ask(t, "count", "2") == "lookup-result|2|found|1 wait"
    t.send(request("lookup", "alias", "3", "late:2001:x"))
    assert ask(t, "count", "4") == "lookup-result|4|found|1 wait", "not from the cache"
    wait_until(lambda: ask(t, "count", "5").endswith("|2 wait"), "the end of cache_ttl")
    conf("cache_ttl 1h\n")
    t.send(request("update", None, "6"))
    assert t.line() == "update-result|6|ok"
    t.send(request("lookup", "credentials", "7", "count"))
    first = t.line()
    t.send(request("lookup", "alias", "8", "late:2002:x") + request("lookup", "credentials", "9", "count"))
    assert t.line().split("|")[3] != first.split("|")[3], "credentials were kept"


def test_a_flood_of_failures_is_no_flood_in_the_log(start):
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "fail") * 1000)
    t.lines(1000)
    time.sleep(1.1)
    assert "failed on purpose" in ask(t, "fail")
    t.end()
    said = t.said()
    assert 100 <= said.count("failed on purpose") <= 301
    assert re.search(r"t: \d+ more failures were not logged", said)


def test_a_second_flood_takes_no_more_memory(start):
    if "asan" in subprocess.run(["ldd", FAKE], stdout=subprocess.PIPE, text=True).stdout:
        pytest.skip("ASan keeps freed memory")
    t = start("timeout 300ms\n")
    t.greet()
    t.near.settimeout(60)
    flood = b"".join(request("lookup", "alias", f"{i:08x}", "never") for i in range(20000))

    def memory():
        t.send(flood)
        t.lines(20000)
        status = open(f"/proc/{t.child.pid}/status").read()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))

    first = memory()
    assert memory() < first * 1.05


def test_no_secret_is_logged(start):
    t = start("debug yes\nsecret hunter2\n")
    t.greet()
    t.send(request("check", "auth", "1", "bob:tr0ub4dor") + request("lookup", "credentials", "2", "value:bob,$6$hash")
           + request("check", "auth", "3", "fail:tr0ub4dor") + request("check", "nosuch", "4", "bob:tr0ub4dor")
           + request("lookup", "credentials", "5", "value:bob,{SSHA}hashhash"))
    t.lines(5)
    t.end()
    said = t.said()
    assert 'check auth "bob"' in said and 'lookup credentials "value:bob,' in said
    assert "tr0ub4dor" not in said and "hunter2" not in said
    printed = subprocess.run([FAKE, "-nn", t.child.args[1]], stdout=subprocess.PIPE, text=True).stdout
    assert "secret ********" in printed and "hunter2" not in printed


def test_end_of_file(start):
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "never"))
    assert t.end() == 0
    t = start()
    assert t.end() == 0
    t = start()
    t.send(GREETING + b"table|0.1|1.1|t|loo")
    assert t.end() == 0


def test_end_of_file_during_a_reload(start, conf):
    t = start()
    t.greet()
    conf("open_ms 2000\n")
    t.send(request("update", None, "1"))
    began = time.monotonic()
    assert t.end() == 0
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(start, sig):
    t = start()
    t.greet()
    os.kill(t.child.pid, sig)
    assert t.status() == 0


def test_a_closed_socket_is_no_sigpipe(start):
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "late:100:x"))
    assert t.end() == 0


def test_standard_input_may_be_a_file(conf, tmp_path):
    path = tmp_path / "in"
    path.write_bytes(GREETING + request("lookup", "alias", "1", "value:x"))
    with open(path) as file:
        done = subprocess.run([FAKE, conf("services 1\n")], stdin=file, stdout=subprocess.PIPE, text=True, timeout=10)
    assert done.stdout == "register|alias\nregister|ready\nlookup-result|1|found|x\n"
    assert done.returncode == 0


def test_stderr_that_nobody_reads(conf):
    """Under smtpd as a daemon it is /dev/null; nothing is written there."""
    with open("/dev/null", "w") as null, Raw(FAKE, conf(), stderr=null) as t:
        t.greet()
        assert ask(t, "fail").endswith("failed on purpose")


def test_memory_and_descriptors_over_reloads(start):
    if "asan" in subprocess.run(["ldd", FAKE], stdout=subprocess.PIPE, text=True).stdout:
        pytest.skip("ASan keeps freed memory")
    t = start("open_ms 0\n")
    t.greet()

    def reload(times):
        for i in range(times):
            t.send(request("update", None, str(i)))
            assert t.line() == f"update-result|{i}|ok"
        status = open(f"/proc/{t.child.pid}/status").read()
        return (len(os.listdir(f"/proc/{t.child.pid}/fd")),
                int(re.search(r"VmRSS:\s+(\d+)", status).group(1)))

    files, memory = reload(200)
    files_later, memory_later = reload(1000)
    assert files_later == files
    assert memory_later - memory < 512
