"""The line protocol, 0.1."""

import re
import time

import pytest

from raw import GREETING, request

ALL = "alias domain credentials netaddr userinfo source mailaddr addrname mailaddrmap relayhost string regex auth".split()


def test_registers_what_is_configured(start):
    assert start().greet() == ALL
    assert start("services 5\n").greet() == ["alias", "credentials"]
    assert start("services 32\nfetched 32\n").greet() == ["source"]


@pytest.mark.parametrize("version, registered", [
    ("7.9.0-portable", True), ("7.10.1", True), ("8.0", True), ("7.8.0p1", False),
    ("7.6.0", False), ("nonsense", True)])
def test_auth_only_where_smtpd_can(start, version, registered):
    t = start("services 4097\n")
    t.send(GREETING.replace(b"7.9.0-portable", version.encode()))
    services = []
    while (line := t.line()) != "register|ready":
        services.append(line)
    assert ("register|auth" in services) == registered


def test_nothing_but_auth_for_an_old_smtpd(start):
    t = start("services 4096\n")
    t.send(GREETING.replace(b"7.9.0", b"7.6.0"))
    assert t.status() == 1
    assert "needs smtpd 7.9" in t.said()


def test_unknown_config_lines_are_passed_over(start):
    t = start("services 1\n")
    t.send(b"config|new-thing|1|2\nconfig|\n" + GREETING + b"config|admd|x\nconfig|ready\n")
    assert t.lines(2) == ["register|alias", "register|ready"]
    t.send(request("lookup", "alias", "1", "value:a"))
    assert t.line() == "lookup-result|1|found|a"


ASKED = [
    (request("lookup", "alias", "00000001", "value:a@b"), "lookup-result|00000001|found|a@b"),
    (request("lookup", "alias", "2", "value:a;b"), "lookup-result|2|found|a, b"),
    (request("lookup", "alias", "3", "nothing"), "lookup-result|3|not-found"),
    (request("lookup", "alias", "4", "fail"), "lookup-result|4|error|failed on purpose"),
    (request("lookup", "alias", "5", "broken"), "lookup-result|5|error|misconfigured: broken on purpose"),
    (request("check", "domain", "6", "value:x"), "check-result|6|found"),
    (request("check", "domain", "7", "nothing"), "check-result|7|not-found"),
    (request("check", "domain", "8", "null"), "check-result|8|not-found"),
    (request("check", "domain", "9", "fail"), "check-result|9|error|failed on purpose"),
    (request("fetch", "source", "a"), "fetch-result|a|found|127.0.0.1"),
    (request("fetch", "source", "b"), "fetch-result|b|found|127.0.0.2"),
    (request("fetch", "alias", "c"), "fetch-result|c|error|fetch of alias is not configured"),
    (request("lookup", "alias", "d", "empty"), "lookup-result|d|error|a column is empty"),
    (request("lookup", "alias", "e", "null"), "lookup-result|e|error|a column is NULL"),
    (request("lookup", "alias", "f", "newline"), "lookup-result|f|error|the value holds a line break"),
    (request("lookup", "alias", "10", "nul"), "lookup-result|10|error|the value holds a NUL"),
    (request("lookup", "alias", "11", "long:2047"), "lookup-result|11|found|" + 2047 * "x"),
    (request("lookup", "alias", "12", "long:2048"),
     "lookup-result|12|error|the value is longer than 2047 bytes"),
    (request("lookup", "alias", "13", "long:100000"),
     "lookup-result|13|error|the value is longer than 2047 bytes"),
    (request("lookup", "credentials", "14", "value:bob,hash"), "lookup-result|14|found|bob:hash"),
    (request("lookup", "credentials", "15", "value:bob,NULL"), "lookup-result|15|error|a column is NULL"),
    (request("lookup", "userinfo", "16", "value:1,2,/h"), "lookup-result|16|found|1:2:/h"),
    (request("lookup", "alias", "17", "value:a|b|c"), "lookup-result|17|found|a|b|c"),
    (request("update", None, "18"), "update-result|18|ok"),
    (request("lookup", "alias", "19", "value:\x80\xff"), "lookup-result|19|found|\x80\xff"),
    (request("lookup", "alias", "1a", "twice"), "lookup-result|1a|not-found"),
    (request("lookup", "alias", "not-hex-but-opaque", ""), "lookup-result|not-hex-but-opaque|not-found"),
]


@pytest.mark.parametrize("sent, said", ASKED, ids=[said.split("|")[1] for _, said in ASKED])
def test_answers(start, sent, said):
    t = start()
    t.greet()
    if b"|b\n" in sent:
        t.send(request("fetch", "source", "first"))
        t.line()
    t.send(sent)
    assert t.line() == said
    assert t.silent(0.05)


def everything():
    sent = GREETING + b"".join(sent for sent, _ in ASKED)
    expected = [f"register|{s}" for s in ALL] + ["register|ready"] + [said for _, said in ASKED]
    return sent, expected


def same_answers(got, expected):
    """In order, but for the update, which is answered when it is done."""
    update = "update-result|18|ok"
    assert update in got
    assert [line for line in got if line != update] == [line for line in expected if line != update]


def test_all_at_once(start):
    sent, expected = everything()
    t = start()
    t.send(sent)
    same_answers(t.lines(len(expected)), expected)


def test_byte_by_byte(start):
    sent, expected = everything()
    t = start()
    t.send_bytewise(sent)
    same_answers(t.lines(len(expected)), expected)


def test_cut_at_every_byte(start):
    """Two writes for each place where a request can be cut."""
    t = start()
    t.greet()
    one = request("lookup", "alias", "1", "value:a") + request("check", "domain", "2", "nothing")
    for cut in range(1, len(one)):
        t.send(one[:cut])
        t.send(one[cut:])
        assert t.lines(2) == ["lookup-result|1|found|a", "check-result|2|not-found"]


MALFORMED = [
    (b"\n", None),
    (b"garbage\n", None),
    (b"table\n", None),
    (b"table|\n", None),
    (b"table|0.1|1.1|t|lookup\n", None),
    (b"table|0.1|1.1|t|lookup|alias\n", None),
    (b"table|0.1|1.1|t|lookup|alias|\n", None),
    (b"table|0.1|1.1|t|lookup|alias||key\n", None),
    (b"register|alias\n", None),
    (b"\0\0\0\n", None),
    (b"table|0.1|1.1|t|lookup|alias|1\n", "lookup-result|1|error|malformed request: no key"),
    (b"table|0.1|1.1|t|lookup|nosuch|1|key\n", "lookup-result|1|error|unknown service"),
    (b"table|0.1|1.1|t|check|none|1|key\n", "check-result|1|error|unknown service"),
    (b"table|0.1|1.1|t|check||1|key\n", "check-result|1|error|unknown service"),
    (b"table|0.1|1.1|t|fetch|nosuch|1\n", "fetch-result|1|error|unknown service"),
    (b"table|0.2|1.1|t|lookup|alias|1|key\n",
     "lookup-result|1|error|unknown version of the line protocol; this program speaks 0.1"),
    (b"table|9|1.1|t|update|1\n",
     "update-result|1|error|unknown version of the line protocol; this program speaks 0.1"),
    (b"table|0.1|1.1|t|remove|alias|1|key\n", "remove-result|1|error|unknown operation"),
    (b"table|0.1|1.1|t|lookup|alias|1|" + 40000 * b"x" + b"\n",
     "lookup-result|1|error|the request is longer than 32768 bytes"),
    (b"table|0.1|1.1|t|" + 200000 * b"x" + b"\n", None),
]


@pytest.mark.parametrize("sent, said", MALFORMED, ids=[str(i) for i in range(len(MALFORMED))])
def test_malformed_lines_end_nothing(start, sent, said):
    """Answered where they have an id, else passed over; the next is served."""
    t = start()
    t.greet()
    t.send(sent + request("lookup", "alias", "ffffffff", "value:still here"))
    if said is not None:
        assert t.line() == said
    assert t.line() == "lookup-result|ffffffff|found|still here"
    assert t.end() == 0


def test_a_key_that_was_cut_by_a_newline(start):
    """Before 7.8.0p1 a key could hold one: the rest is a line that is none."""
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "value:a\nb|c"))
    assert t.line() == "lookup-result|1|found|a"
    t.send(request("lookup", "alias", "2", "value:a\r"))
    assert t.line() == "lookup-result|2|error|the value holds a line break"


def test_a_thousand_in_flight(start):
    """Each is answered once, by its id, in whatever order."""
    t = start()
    t.greet()
    t.send(b"".join(request("lookup", "alias", f"{i:08x}", f"late:{(i * 7) % 300}:v{i}")
                    for i in range(1000)))
    got = t.lines(1000)
    assert sorted(got) == sorted(f"lookup-result|{i:08x}|found|v{i}" for i in range(1000))
    assert got != sorted(got), "they came in order: nothing was in flight"
    assert t.silent(0.4)


def test_answers_that_nobody_reads(start):
    """Neither lost nor a reason to end: reading stops until they are read."""
    t = start()
    t.greet()
    one = request("lookup", "alias", "1", "long:2047")
    t.near.setblocking(False)
    sent, waits = 0, 0
    while sent < 100000 * len(one) and waits < 50:
        try:
            sent += t.near.send(one)
            waits = 0
        except BlockingIOError:
            waits += 1
            time.sleep(0.01)
    assert waits == 50, "it never stopped reading"
    assert sent % len(one) == 0
    t.near.settimeout(20)
    for _ in range(sent // len(one)):
        assert len(t.line()) == len("lookup-result|1|found|") + 2047


def test_the_variables(start):
    t = start()
    t.greet()
    t.send(request("lookup", "alias", "1", "vars+tag@mail.example.org"))
    assert t.line() == (
        "lookup-result|1|found|key=vars+tag@mail.example.org user=vars+tag account=vars tag=tag "
        "domain=mail.example.org parent=example.org login=vars+tag@mail.example.org password=NULL "
        "table=t service=alias operation=lookup")


def test_the_name_in_the_log_is_the_tables(start):
    t = start()
    t.send(GREETING.replace(b"tablename|t", b"tablename|users") + request("lookup", "alias", "1", "fail"))
    while not t.line().startswith("lookup-result"):
        pass
    t.end()
    assert re.search(r'^users: lookup alias "fail": failed on purpose$', t.said(), re.M)


def test_a_table_name_that_parts_fields(start):
    t = start()
    t.send(GREETING.replace(b"tablename|t", b"tablename|a|b"))
    assert t.status() == 1
    assert "choose another" in t.said()
